"""Where settings come from: a TOML file, the environment and flags, in that order of precedence."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pivotlens.errors import ConfigError, did_you_mean
from pivotlens.settings.base import StageConfig, is_list, is_number

# Keys at the top of a file that every stage with such a setting takes; `model` is also the tokenizer's default.
SHARED = ("model", "corpus", "directions", "seed", "limit_concepts", "limit_documents")
_PREFIX = "PIVOTLENS_"
# Variables of other parts of the program.
_NOT_SETTINGS = frozenset({"PIVOTLENS_CACHE"})


def read_toml(path: Path) -> dict[str, Any]:
    """Read a configuration file.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no configuration file {path}", f"Write one with `pivotlens init {path}`."
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}", "Check that it is valid TOML in UTF-8.") from error


def check_content(content: Mapping[str, Any], name: str, stages: Mapping[str, type[StageConfig]]) -> None:
    """Refuse a table or key that no configuration file has.

    Args:
        content: Of the file.
        name: Of the file, for errors.
        stages: Settings by stage.

    Raises:
        ConfigError: There is one; names it.
    """
    for key, value in content.items():
        if key in stages:
            if not isinstance(value, Mapping):
                raise ConfigError(f"{key} = {value!r} in {name} is no table", f"Write [{key}] and its settings below.")
            unknown = next((other for other in value if other not in stages[key].model_fields), None)
            if unknown is not None:
                raise ConfigError(
                    f"unknown setting {unknown!r} in [{key}] of {name}",
                    did_you_mean(unknown, stages[key].model_fields),
                )
        elif key not in (*SHARED, "run"):
            kind = f"table [{key}]" if isinstance(value, Mapping) else f"setting {key!r}"
            raise ConfigError(f"unknown {kind} in {name}", did_you_mean(key, [*stages, *SHARED, "run"]))


def _from_text(config: type[StageConfig], key: str, text: str) -> Any:
    """Read a value as the environment holds it: lists are separated by commas or spaces."""
    field = config.model_fields[key]
    if is_list(field):
        return tuple(part for part in text.replace(",", " ").split() if part)
    if is_number(field):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def settings_layers(
    config: type[StageConfig],
    file: Mapping[str, Any],
    file_name: str,
    flags: Mapping[str, Any],
    environment: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return what each source says of a stage's settings, weakest first.

    Args:
        config: Settings of the stage.
        file: Content of the configuration file.
        file_name: Its name, for errors and the manifest.
        flags: What was given on the command line.
        environment: Variables ``PIVOTLENS_KEY`` and ``PIVOTLENS_STAGE_KEY``; the process's when None.
    """
    fields = config.model_fields
    variables = os.environ if environment is None else environment
    stage = config.stage
    shared = {key: file[key] for key in SHARED if key in file and key in fields}
    if "tokenizer" in fields and "model" in file:
        shared["tokenizer"] = file["model"]
    from_environment: dict[str, dict[str, Any]] = {}
    for prefix in (_PREFIX, f"{_PREFIX}{stage.upper()}_"):
        for key in fields:
            name = f"{prefix}{key.upper()}"
            if (prefix != _PREFIX or key in SHARED) and name in variables:
                from_environment[name] = {key: _from_text(config, key, variables[name])}
    if "tokenizer" in fields and f"{_PREFIX}MODEL" in variables:
        from_environment.setdefault(f"{_PREFIX}MODEL", {})["tokenizer"] = variables[f"{_PREFIX}MODEL"]
    return {
        file_name: shared,
        f"{file_name} [{stage}]": dict(file.get(stage, {})),
        **from_environment,
        "command line": {key: value for key, value in flags.items() if key in fields},
    }


def check_environment(stages: Mapping[str, type[StageConfig]], environment: Mapping[str, str] | None = None) -> None:
    """Refuse a ``PIVOTLENS_…`` variable that sets nothing.

    Raises:
        ConfigError: There is one; names it.
    """
    variables = os.environ if environment is None else environment
    known = {f"{_PREFIX}{key.upper()}" for key in SHARED} | _NOT_SETTINGS
    known |= {
        f"{_PREFIX}{name.upper()}_{key.upper()}" for name, config in stages.items() for key in config.model_fields
    }
    for name in sorted(variables):
        if name.startswith(_PREFIX) and name not in known:
            raise ConfigError(f"environment variable {name} sets nothing", did_you_mean(name, known))


def origins_of(layers: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return where each setting that is not a default came from."""
    return {key: source for source, layer in layers.items() for key in layer}
