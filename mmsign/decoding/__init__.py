"""From class probabilities per step to glosses."""

from .ctc import CTCBeamSearch, Hypothesis, greedy_decode
from .forced_alignment import align_labellings

__all__ = ['CTCBeamSearch', 'Hypothesis', 'align_labellings', 'greedy_decode']
