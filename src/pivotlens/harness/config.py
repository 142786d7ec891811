"""Options of the harness tasks: what stands under ``pivotlens`` in the harness's metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pivotlens.errors import ConfigError
from pivotlens.settings import PromptTemplate, StageConfig, setting

OPTIONS_KEY = "pivotlens"
DEFAULT_BENCHMARK = "word-translation"
_HINT = "docs/harness.md lists the options of the tasks."


class HarnessConfig(StageConfig):
    """How the tasks are made; the defaults are those of `pivotlens bench` and `pivotlens score`."""

    stage: ClassVar[str] = "metadata.pivotlens"
    benchmark: str = setting(
        DEFAULT_BENCHMARK, "A bundled list, a TSV file as `pivotlens bench` takes, or a run folder with a benchmark."
    )
    prompt: PromptTemplate = setting(
        "english", "Template: the paper's English one, the target language's own, or bare `a – b` lines."
    )
    shots: int = setting(5, "Examples in a prompt.", ge=1, le=32)
    shot_sets: int = setting(5, "Different sets of examples; measures are means over them.", ge=1, le=32)
    seed: int = setting(0, "Seed of the shot sets.", ge=0)
    limit_concepts: int | None = setting(None, "Make only this many documents a direction.", ge=1)
    boundary: Literal["refuse", "leave_out"] = setting(
        "refuse", "What happens to a document that the harness would cut at another token than pivotlens does."
    )


def read_options(metadata: Mapping[str, Any]) -> HarnessConfig:
    """Read the options from what the harness hands a task.

    Raises:
        ConfigError: An unknown option or an impossible value.
    """
    given = metadata.get(OPTIONS_KEY, {})
    if not isinstance(given, Mapping):
        raise ConfigError(
            f"{OPTIONS_KEY} = {given!r} (metadata) is no table of options",
            f"""Write --metadata '{{"{OPTIONS_KEY}": {{"shot_sets": 3}}}}'; docs/harness.md lists the options.""",
        )
    try:
        return HarnessConfig.build({"metadata": given})
    except ConfigError as error:
        known = f" Known: {', '.join(HarnessConfig.model_fields)}."
        raise ConfigError(error.message, _HINT + known) from error
