"""CTC decoding, offline and streaming; text_beam searches sentences."""

from .ctc import CTCBeamSearch, Hypothesis, greedy_decode
from .forced_alignment import align_labellings
from .incremental import IncrementalCTC

__all__ = [
    'CTCBeamSearch',
    'Hypothesis',
    'IncrementalCTC',
    'align_labellings',
    'greedy_decode',
]
