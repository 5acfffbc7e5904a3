"""The settings as the documentation shows them."""

from __future__ import annotations

from pydantic_core import PydanticUndefined

from shared.settings import PROJECT_ROOT, Settings


def shown_default(field: str) -> str:
    """A setting's default, folders from the repository root; empty where it is none or computed."""
    default = Settings.model_fields[field].default
    return "" if default is PydanticUndefined else str(default).replace(f"{PROJECT_ROOT}/", "")


def table() -> list[str]:
    """The rows of the README's table."""
    rows = []
    for field, info in Settings.model_fields.items():
        default = shown_default(field)
        rows.append(f"| `RANER_{field.upper()}` | {f'`{default}`' if default else ''} | {info.description} |")
    return rows
