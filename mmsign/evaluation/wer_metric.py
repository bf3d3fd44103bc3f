"""The word error rate as a metric of MMEngine's runner."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.logging import print_log

from mmsign.errors import DataError
from mmsign.registry import METRICS

from .cleanup import clean_glosses
from .clip_metric import ClipMetric
from .tokens import split_text
from .wer import WordErrors, count_word_errors, word_error_table


@METRICS.register_module()
class WERMetric(ClipMetric):
    """Word error rate of every output in the data samples.

    References and hypotheses are cleaned as the corpus prescribes, aligned with
    sclite's costs and counted over the corpus. For each output (``video``,
    ``keypoint``, ``joint``, ``average``; whatever the model predicts) the results
    are ``{output}/WER`` in percent, the counts ``{output}/S``, ``/D``, ``/I`` and
    ``/reference_words``, and ``{output}/sentence_accuracy`` in percent. A table of
    them is logged.

    Args:
        gloss_cleanup: A key of ``GLOSS_CLEANUPS``; None takes the dataset's
            ``metainfo['gloss_cleanup']``.
        level: What is counted: ``word`` (glosses) or ``character``. The dataset's
            own ``level`` is that of its sentences and does not matter here.
        **kwargs: As in ``ClipMetric``.
    """

    def __init__(
        self, gloss_cleanup: str | None = None, level: str = 'word', **kwargs
    ) -> None:
        super().__init__(**kwargs)
        self.gloss_cleanup = gloss_cleanup
        self.level = level

    def record(self, data_sample: dict) -> dict:
        """The glosses of a data sample.

        Args:
            data_sample: With ``clip_id``, ``signer``, ``glosses`` and
                ``predictions``: a ``GlossPrediction`` per output.

        Raises:
            DataError: the clip has no predictions.
        """
        predictions = data_sample.get('predictions')
        if not predictions:
            raise DataError(
                f'clip {data_sample["clip_id"]!r} has no predictions to score: '
                "expected data samples as the model's mode 'predict' returns them"
            )
        hypotheses = {
            output: dict(
                glosses=list(prediction.glosses),
                score=float(prediction.score),
                spans=[list(span) for span in prediction.spans],
                n_best=[[list(g), float(s)] for g, s in prediction.n_best],
            )
            for output, prediction in predictions.items()
        }
        return dict(
            clip_id=data_sample['clip_id'],
            signer=data_sample.get('signer'),
            reference=list(data_sample['glosses']),
            hypotheses=hypotheses,
        )

    def score(self, records: list[dict]) -> dict[str, float]:
        """Count the errors of each output.

        Raises:
            ConfigError: an unknown clean-up or level.
            DataError: references without a single word.
        """
        cleanup = self.gloss_cleanup or (self.dataset_meta or {}).get('gloss_cleanup')

        def tokens(glosses: Sequence[str]) -> list[str]:
            return split_text(' '.join(clean_glosses(glosses, cleanup)), self.level)

        references = [tokens(record['reference']) for record in records]
        errors: dict[str, WordErrors] = {}
        for output in records[0]['hypotheses']:
            hypotheses = [tokens(r['hypotheses'][output]['glosses']) for r in records]
            errors[output] = count_word_errors(references, hypotheses)
        print_log(
            f'word errors, clean-up {cleanup}, counted by {self.level}\n'
            f'{word_error_table(errors)}',
            logger='current',
        )
        metrics = {}
        for output, counts in errors.items():
            metrics[f'{output}/WER'] = counts.wer
            metrics[f'{output}/S'] = counts.substitutions
            metrics[f'{output}/D'] = counts.deletions
            metrics[f'{output}/I'] = counts.insertions
            metrics[f'{output}/sentence_accuracy'] = counts.sentence_accuracy
            metrics[f'{output}/reference_words'] = counts.reference_words
        return metrics
