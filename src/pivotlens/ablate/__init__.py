"""Is a semantic pivot causal? Taking it out of the model's states and seeing what becomes of the answer."""

from pivotlens.ablate.config import AblateConfig
from pivotlens.ablate.stage import ablate_pivots

__all__ = ["AblateConfig", "ablate_pivots"]
