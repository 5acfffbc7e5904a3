"""Imported before ModelScope, it keeps that from logging each step of its loading.

ModelScope also warns of buffers that no checkpoint has, as if they were weights. It reads the level when it is first
imported; whoever sets it in the environment gets those logs.
"""

from __future__ import annotations

import os
import warnings

os.environ.setdefault("MODELSCOPE_LOG_LEVEL", "40")
# ModelScope's BERT passes an argument that the installed transformers no longer wants.
warnings.filterwarnings("ignore", message="The `device` argument is deprecated", category=FutureWarning)
