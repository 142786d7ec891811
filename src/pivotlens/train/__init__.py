"""Training: a model read further on the arms of a selection, or made anew from a configuration."""

from pivotlens.train.config import TrainConfig
from pivotlens.train.stage import train_model

__all__ = ["TrainConfig", "train_model"]
