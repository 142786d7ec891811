"""The attribute stage: do corpus counts predict how a model translates?"""

from pivotlens.attribute.config import AttributeConfig
from pivotlens.attribute.stage import attribute_behaviour

__all__ = ["AttributeConfig", "attribute_behaviour"]
