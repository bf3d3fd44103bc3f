"""From pooled features to gloss logits, and on to sentences."""

from .gloss_head import GlossHead, JointHead, LinearHead, PyramidHead
from .translation_head import MBartTranslationHead
