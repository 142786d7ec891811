"""Training an affine lens that corrects the raw one's bias in early layers."""

from pivotlens.lens.config import LensConfig
from pivotlens.lens.stage import train_lens

__all__ = ["LensConfig", "train_lens"]
