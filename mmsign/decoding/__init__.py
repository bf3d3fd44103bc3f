"""CTC decoding, offline and streaming; text_beam searches sentences."""

from mmsign.timing import StepClock

from .calibration import (
    CALIBRATION_KEY,
    Calibration,
    ConfidenceMap,
    SignCalibration,
    calibrations_from,
)
from .ctc import CTCBeamSearch, Hypothesis, greedy_decode
from .forced_alignment import align_labellings
from .incremental import IncrementalCTC
from .outputs import AVERAGE, decode_outputs, log_probabilities, timed_glosses
from .single_signs import (
    read_single_signs,
    sign_probabilities,
    single_sign_log_likelihoods,
)
