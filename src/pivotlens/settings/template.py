"""A commented configuration file, written from the field descriptions so that it cannot drift."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Any

from pivotlens.settings.base import StageConfig


def toml_value(value: Any) -> str:
    """Return a setting's value as TOML."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def toml_template(stages: Mapping[str, type[StageConfig]], shared: Mapping[str, Any]) -> str:
    """Return a configuration file with every setting: the shared ones set, all others as commented defaults.

    Args:
        stages: Settings by stage, in the order of the file.
        shared: Values at the top of the file, with the comment above each.
    """
    lines = [
        "# Configuration of a pivotlens run: `pivotlens run --config THIS_FILE`.",
        "# Defaults stand behind a #; precedence: defaults < this file < PIVOTLENS_* variables < flags.",
        "",
    ]
    for key, (value, comment) in shared.items():
        lines += [f"# {comment}", f"{key} = {toml_value(value)}"]
    for name, config in stages.items():
        optional = ["# Optional: `run` does it only where the next line is no comment."] if config.optional else []
        header = f"# [{name}]" if config.optional else f"[{name}]"
        lines += ["", *optional, header, *_comment(str(config.__doc__).strip().splitlines()[0])]
        for key, field in config.model_fields.items():
            lines += _comment(str(field.description))
            default = field.default
            lines.append(f"# {key} = {toml_value(default) if default is not None else '…'}")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 110, initial_indent="# ", subsequent_indent="# ")
