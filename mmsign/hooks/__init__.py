"""Hooks for the runner."""

from .recognizer_checkpoint import RecognizerCheckpointHook
from .training_report import TrainingReportHook

__all__ = ['RecognizerCheckpointHook', 'TrainingReportHook']
