"""A real worker node that also writes down, after each task, what the process which ran it has imported.

``python -m tests.integration.observed_worker FILE``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from celery import signals

from workers.__main__ import main

if __name__ == "__main__":
    modules = Path(sys.argv.pop())

    def note(**_: object) -> None:
        """Write the names of the process's modules."""
        modules.with_suffix(".part").write_text(json.dumps(sorted(sys.modules)))
        modules.with_suffix(".part").rename(modules)

    signals.task_postrun.connect(note)
    sys.exit(main())
