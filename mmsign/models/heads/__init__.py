"""From pooled features to gloss logits, and on to sentences."""

from .gloss_head import GlossHead, JointHead, PyramidHead
from .group_head import GroupHead
from .temporal_head import PathwayTemporalHead, TemporalConvLSTMHead
from .translation_head import MBartTranslationHead
