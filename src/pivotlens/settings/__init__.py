"""Settings: one frozen model a stage, filled from defaults, a TOML file, the environment and flags."""

from pivotlens.settings.base import StageConfig, setting
from pivotlens.settings.shared import (
    EXECUTOR,
    PORTIONS,
    SBATCH,
    SHARDS,
    CorpusFormat,
    CorpusStageConfig,
    DocumentStageConfig,
    ExecutorName,
    Launched,
    ModelStageConfig,
    PromptTemplate,
    SweepStageConfig,
)

__all__ = [
    "EXECUTOR",
    "PORTIONS",
    "SBATCH",
    "SHARDS",
    "CorpusFormat",
    "CorpusStageConfig",
    "DocumentStageConfig",
    "ExecutorName",
    "Launched",
    "ModelStageConfig",
    "PromptTemplate",
    "StageConfig",
    "SweepStageConfig",
    "setting",
]
