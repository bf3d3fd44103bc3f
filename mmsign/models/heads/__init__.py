"""From pooled features to gloss logits."""

from .gloss_head import GlossHead, JointHead
from .pyramid_head import PyramidHead

__all__ = ['GlossHead', 'JointHead', 'PyramidHead']
