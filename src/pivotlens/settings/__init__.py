"""Settings: one frozen model a stage, filled from defaults, a TOML file, the environment and flags."""

from pivotlens.settings.base import StageConfig, setting

__all__ = ["StageConfig", "setting"]
