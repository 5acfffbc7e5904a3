"""Secrets that stand in files, as Docker and Kubernetes hand them over: ``RANER_REDIS_URL_FILE=/run/secrets/redis``.

Whoever may look at a process or at its container can read its environment.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from shared.errors import SettingsError

SECRETS = ("redis_url", "redis_password", "cache_url", "api_keys", "flower_password")
# Characters. A file that is longer is some other file.
LONGEST = 1_000_000


class SecretFiles(PydanticBaseSettingsSource):
    """Reads each of :data:`SECRETS` from the file that ``RANER_<NAME>_FILE`` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """The value of a field, None if no file is named; its name; and that it is no JSON.

        Raises:
            SettingsError: the file cannot be read, or the secret is given twice.
        """
        variable = f"RANER_{field_name.upper()}"
        path = os.environ.get(f"{variable}_FILE", "")
        if field_name not in SECRETS or not path:
            return None, field_name, False
        if os.environ.get(variable):
            raise SettingsError(f"{variable} and {variable}_FILE are both set; unset one of them")
        try:
            with Path(path).open(encoding="utf-8") as file:
                lines = file.read(LONGEST).split()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise SettingsError(f"{variable}_FILE: {path} cannot be read ({why})") from None
        if not lines:
            raise SettingsError(f"{variable}_FILE: {path} is empty")
        # A list may have one entry a line.
        return ",".join(lines), field_name, False

    def __call__(self) -> dict[str, Any]:
        """The values of all fields that have a file."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}
