"""Scores: word errors, gloss clean-ups, and the metrics for the runner."""

from .cleanup import GLOSS_CLEANUPS, clean_glosses
from .prediction_dump import write_predictions
from .report import word_error_table
from .wer import WordErrors, align_words, count_word_errors, sentence_errors
from .wer_metric import WERMetric

__all__ = [
    'GLOSS_CLEANUPS',
    'WERMetric',
    'WordErrors',
    'align_words',
    'clean_glosses',
    'count_word_errors',
    'sentence_errors',
    'word_error_table',
    'write_predictions',
]
