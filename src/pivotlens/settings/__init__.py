"""Settings: one frozen model a stage, filled from defaults, a TOML file, the environment and flags."""

from pivotlens.settings.base import StageConfig, setting
from pivotlens.settings.shared import (
    CorpusFormat,
    CorpusStageConfig,
    DocumentStageConfig,
    ModelStageConfig,
    PromptTemplate,
    SweepStageConfig,
)

__all__ = [
    "CorpusFormat",
    "CorpusStageConfig",
    "DocumentStageConfig",
    "ModelStageConfig",
    "PromptTemplate",
    "StageConfig",
    "SweepStageConfig",
    "setting",
]
