"""Hooks for the runner."""

from .calibration import CalibrationHook
from .corpus_change import CorpusChangeHook
from .cuda_graphs import CudaGraphsHook
from .epoch_seed import EpochSeedHook
from .finite_gradients import FiniteGradientsHook
from .late import LateRuntimeInfoHook
from .long_clips import LongClipsHook
from .mirrored_points import MirroredPointsHook
from .output_length import OutputLengthHook
from .recognizer_checkpoint import RecognizerCheckpointHook
from .safe_checkpoint import SafeCheckpointHook
from .training_report import TrainingReportHook
from .translation_check import TranslationCheckHook
from .visualization import SignVisualizationHook
