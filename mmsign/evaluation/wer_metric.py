"""The word error rate as a metric of MMEngine's runner."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from .cleanup import GLOSS_CLEANUPS, clean_glosses
from .prediction_dump import write_predictions
from .report import word_error_table
from .wer import WordErrors, count_word_errors

LEVELS = ('word', 'character')


@METRICS.register_module()
class WERMetric(BaseMetric):
    """Word error rate of every output in the data samples.

    References and hypotheses are cleaned as the corpus prescribes, aligned with
    sclite's costs and counted over the corpus. For each output (``video``,
    ``keypoint``, ``joint``, ``average``; whatever the model predicts) the results
    are ``{output}/WER`` in percent, the counts ``{output}/S``, ``/D``, ``/I`` and
    ``/reference_words``, and ``{output}/sentence_accuracy`` in percent. A table of
    them is logged.

    The results of all processes are gathered; a clip that several of them have
    seen, because the sampler fills up the last round, is counted once.

    Args:
        gloss_cleanup: A key of ``GLOSS_CLEANUPS``; None takes the dataset's
            ``metainfo['gloss_cleanup']``.
        level: What is counted: ``word`` (glosses) or ``character``; None takes the
            dataset's ``metainfo['level']``, ``word`` if it names none.
        dump: Path without suffix under which references and hypotheses are
            written at every evaluation, see ``write_predictions``; None writes
            nothing. Relative paths start in the current folder.
        collect_device, prefix, collect_dir: As in MMEngine's ``BaseMetric``.
    """

    # The outputs' names are prefix enough; None would make MMEngine warn.
    default_prefix = ''

    def __init__(
        self,
        gloss_cleanup: str | None = None,
        level: str | None = None,
        dump: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        self.gloss_cleanup = gloss_cleanup
        self.level = level
        self.dump = dump
        self._clips: int | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep what scoring needs of each data sample.

        Args:
            data_batch: Not looked at.
            data_samples: As dicts, with ``clip_id``, ``signer``, ``glosses`` and
                ``predictions``: a ``GlossPrediction`` per output.

        Raises:
            ValueError: a clip has no predictions; it is named.
        """
        for sample in data_samples:
            predictions = sample.get('predictions')
            if not predictions:
                raise ValueError(
                    f'clip {sample["clip_id"]!r} has no predictions to score: expected '
                    "data samples as the model's mode 'predict' returns them"
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
            self.results.append(
                dict(
                    clip_id=sample['clip_id'],
                    signer=sample.get('signer'),
                    reference=list(sample['glosses']),
                    hypotheses=hypotheses,
                )
            )

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather, score and clear the results; ``size`` is the number of clips.

        Raises:
            ValueError: on the main process, if not ``size`` different clips came,
                or as in ``compute_metrics``.
        """
        # MMEngine would cut the gathered list to `size`, which drops the right
        # ones only if every process padded in the sampler's order. Here clips are
        # told apart by name, so nothing is to be cut.
        self._clips = size
        return super().evaluate(sys.maxsize)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Score the gathered results.

        Raises:
            ValueError: no clips; a clip lacks an output that another has; a wrong
                number of clips; an unknown clean-up or level; references
                without a single word.
        """
        first: dict[str, dict] = {}
        for result in results:
            first.setdefault(result['clip_id'], result)
        records = list(first.values())
        self._check(records)
        cleanup, level = self._rules()
        references = [_tokens(r['reference'], cleanup, level) for r in records]
        errors: dict[str, WordErrors] = {}
        for output in records[0]['hypotheses']:
            hypotheses = [
                _tokens(r['hypotheses'][output]['glosses'], cleanup, level)
                for r in records
            ]
            errors[output] = count_word_errors(references, hypotheses)
        print_log(
            f'word errors, clean-up {cleanup}, counted by {level}\n'
            f'{word_error_table(errors)}',
            logger='current',
        )
        if self.dump is not None:
            write_predictions(self.dump, records)
        metrics = {}
        for output, counts in errors.items():
            metrics[f'{output}/WER'] = counts.wer
            metrics[f'{output}/S'] = counts.substitutions
            metrics[f'{output}/D'] = counts.deletions
            metrics[f'{output}/I'] = counts.insertions
            metrics[f'{output}/sentence_accuracy'] = counts.sentence_accuracy
            metrics[f'{output}/reference_words'] = counts.reference_words
        return metrics

    def _check(self, records: list[dict]) -> None:
        clips, self._clips = self._clips, None
        if not records or clips not in (None, len(records)):
            raise ValueError(
                f'{len(records)} different clips were predicted, expected '
                f'{"at least one" if clips is None else clips}: the word error rate '
                'would be that of another set. Do two clips of the dataset share '
                'their clip_id?'
            )
        outputs = {output for record in records for output in record['hypotheses']}
        for record in records:
            missing = sorted(outputs - record['hypotheses'].keys())
            if missing:
                raise ValueError(
                    f'clip {record["clip_id"]!r} has no prediction of '
                    f'{", ".join(missing)}, which other clips have'
                )

    def _rules(self) -> tuple[str, str]:
        meta = self.dataset_meta or {}
        cleanup = self.gloss_cleanup or meta.get('gloss_cleanup')
        level = self.level or meta.get('level', 'word')
        if cleanup not in GLOSS_CLEANUPS or level not in LEVELS:
            raise ValueError(
                f'gloss_cleanup is {cleanup!r} and level {level!r}; expected one of '
                f'{", ".join(GLOSS_CLEANUPS)} and one of {", ".join(LEVELS)}, from '
                "the dataset's METAINFO or as arguments of WERMetric"
            )
        return cleanup, level


def _tokens(glosses: Sequence[str], cleanup: str, level: str) -> list[str]:
    cleaned = clean_glosses(glosses, cleanup)
    return cleaned if level == 'word' else list(''.join(cleaned))
