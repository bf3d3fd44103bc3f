"""From pooled features to gloss logits, and on to sentences."""

from .gloss_head import GlossHead, JointHead, LinearHead, PyramidHead, StepHead
from .group_head import GroupHead
from .temporal_head import PathwayTemporalHead, TemporalConvLSTMHead
from .translation_head import MBartTranslationHead
