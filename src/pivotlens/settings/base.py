"""Settings of a stage: a frozen model whose field descriptions are the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo

from pivotlens.errors import ConfigError, did_you_mean


def setting(default: Any, description: str, *, meaning: bool = True, **bounds: Any) -> Any:
    """Declare a setting.

    Args:
        default: Its default.
        description: One sentence for ``--help``, the configuration file and the documentation.
        meaning: False for what cannot change the result (workers, device): kept out of the fingerprint.
        **bounds: Pydantic's bounds, such as ``ge=0``.
    """
    return Field(default, description=description, json_schema_extra={"meaning": meaning}, **bounds)


class StageConfig(BaseModel):
    """Base of the stages' settings; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())
    stage: ClassVar[str]
    # Whether `run` leaves the stage out unless the configuration file has a table for it.
    optional: ClassVar[bool] = False
    # Whether it runs a model, for which the extra `models` must be installed.
    runs_model: ClassVar[bool] = False
    # The extra that it needs besides, and the packages of it that must be installed, as they are imported.
    extra: ClassVar[str] = ""
    packages: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _names_settings(cls, values: Any) -> Any:
        for key in values if isinstance(values, Mapping) else ():
            if key not in cls.model_fields:
                raise ConfigError(f"unknown setting {key!r} in {cls.__name__}", did_you_mean(key, cls.model_fields))
        return values

    @field_validator("*")
    @classmethod
    def _is_text(cls, value: Any) -> Any:
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and text != text.encode("utf-8", "replace").decode("utf-8"):
                raise ValueError("it is not UTF-8; rename the file, or give the folder it is in")
        return value

    def meaning(self) -> dict[str, Any]:
        """Return the settings that change the result, for the fingerprint."""
        fields = type(self).model_fields
        return {name: value for name, value in self.model_dump(mode="json").items() if changes_meaning(fields[name])}

    @classmethod
    def build(cls, layers: Mapping[str, Mapping[str, Any]] | None = None) -> Self:
        """Build the settings from layers, later ones over earlier ones.

        Args:
            layers: Values by field, by the name of where they come from ("run.toml", "command line").

        Raises:
            ConfigError: An unknown key or an impossible value; names the value and its layer.
        """
        values: dict[str, Any] = {}
        origin: dict[str, str] = {}
        for source, layer in (layers or {}).items():
            for key, value in layer.items():
                if key not in cls.model_fields:
                    raise ConfigError(
                        f"unknown setting {key!r} in [{cls.stage}] ({source})",
                        did_you_mean(key, cls.model_fields),
                    )
                values[key], origin[key] = value, source
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise config_error(cls.stage, error, origin) from error


def changes_meaning(field: FieldInfo) -> bool:
    """Tell whether a field is part of the fingerprint."""
    extra = field.json_schema_extra
    return not isinstance(extra, dict) or bool(extra.get("meaning", True))


def is_list(field: FieldInfo) -> bool:
    """Tell whether a setting takes several values."""
    return get_origin(field.annotation) is tuple


def is_number(field: FieldInfo) -> bool:
    """Tell whether a setting takes a number, or none."""
    return any(kind in (int, float) for kind in (field.annotation, *get_args(field.annotation)))


def config_error(stage: str, error: ValidationError, origin: Mapping[str, str]) -> ConfigError:
    """Say in a sentence what pydantic found wrong first."""
    problem = error.errors()[0]
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:  # settings that do not go together
        given = ", ".join(f"{key} from {source}" for key, source in origin.items()) or "defaults"
        return ConfigError(
            f"[{stage}] {message} ({given})", f"Change one of them; `pivotlens {stage} --help` describes them."
        )
    key = str(problem["loc"][0])
    if problem["type"] == "tuple_type":
        message = f"it takes a list, such as [{problem['input']!r}]"
    where = origin.get(key, "command line")
    return ConfigError(
        f"[{stage}] {key} = {problem['input']!r} ({where}): {message}",
        f"Give another value for {key!r}; `pivotlens {stage} --help` describes it.",
    )
