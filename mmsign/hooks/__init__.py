"""Hooks for the runner."""

from .epoch_seed import EpochSeedHook
from .output_length import OutputLengthHook
from .recognizer_checkpoint import RecognizerCheckpointHook, check_fits
from .safe_checkpoint import SafeCheckpointHook
from .training_report import TrainingReportHook
from .translation_check import TranslationCheckHook
from .visualization import SignVisualizationHook

__all__ = [
    'EpochSeedHook',
    'OutputLengthHook',
    'RecognizerCheckpointHook',
    'SafeCheckpointHook',
    'SignVisualizationHook',
    'TrainingReportHook',
    'check_fits',
    'TranslationCheckHook',
]
