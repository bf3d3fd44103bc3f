"""Word errors, BLEU and ROUGE-L as functions, and the metrics for the runner."""

from .bleu_metric import BLEUMetric
from .calibration import SignEvidence, fit_calibration, judge_glosses
from .cleanup import GLOSS_CLEANUPS, clean_glosses
from .clip_metric import ClipMetric
from .levenshtein import levenshtein_errors
from .prediction_dump import read_predictions, write_predictions
from .single_sign_metric import SingleSignMetric
from .single_signs import (
    SignClip,
    SignScores,
    expected_calibration_error,
    sign_group_table,
    sign_score_table,
    sign_scores_of,
)
from .text_scores import (
    TextScores,
    corpus_bleu,
    corpus_chrf,
    corpus_rouge_l,
    rouge_l,
    score_texts,
    text_score_table,
)
from .wer import (
    WordErrors,
    align_words,
    count_word_errors,
    sentence_errors,
    word_error_table,
)
from .wer_metric import WERMetric
