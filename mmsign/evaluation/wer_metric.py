"""The word error rate as a metric of MMEngine's runner."""

from collections.abc import Iterable, Sequence

from mmsign.registry import METRICS
from mmsign.structures import GlossPrediction

from .cleanup import clean_glosses
from .clip_metric import ClipMetric
from .levenshtein import check_costs, levenshtein_errors
from .signers import errors_by_signer, signer_table
from .tokens import split_text
from .wer import WordErrors, sentence_errors, word_error_table


@METRICS.register_module()
class WERMetric(ClipMetric):
    """Word error rate of every output in the data samples.

    References and hypotheses are cleaned as the corpus prescribes, aligned with
    sclite's costs and counted over the corpus. For each output (``video``,
    ``keypoint``, ``joint``, ``average``; whatever the model predicts) the results
    are ``{output}/WER`` in percent, the counts ``{output}/S``, ``/D``, ``/I`` and
    ``/reference_words``, and ``{output}/sentence_accuracy`` in percent. A table of
    them is logged, and the WER of each signer where there are several.

    Args:
        gloss_cleanup: A key of ``GLOSS_CLEANUPS``; None takes the dataset's
            ``metainfo['gloss_cleanup']``.
        level: What is counted: ``word`` (glosses) or ``character``. The dataset's
            own ``level`` is that of its sentences and does not matter here.
        costs: ``sclite``; with ``levenshtein`` the errors are counted at unit costs as
            well, as ``{output}_levenshtein``.
        **kwargs: As in ``ClipMetric``.
    """

    def __init__(
        self,
        gloss_cleanup: str | None = None,
        level: str = 'word',
        costs: str = 'sclite',
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        check_costs(costs)
        self.costs = costs
        self.gloss_cleanup = gloss_cleanup
        self.level = level

    def reference(self, data_sample: dict) -> list[str]:
        """The glosses of a data sample."""
        return list(data_sample['glosses'])

    def hypothesis(self, prediction: GlossPrediction) -> dict:
        """Glosses, score, spans in frames of the source, and the n best; the single
        sign if one was read."""
        found = dict(
            glosses=list(prediction.glosses),
            score=float(prediction.score),
            spans=[list(span) for span in prediction.spans],
            n_best=[[list(g), float(s)] for g, s in prediction.n_best],
        )
        if (reading := prediction.single_sign) is not None:
            found['single_sign'] = reading.to_dict()
        return found

    def compare(
        self,
        references: list,
        hypotheses: dict[str, list],
        signers: Sequence[str | None],
    ) -> tuple[dict[str, WordErrors], str]:
        """Count the errors of each output, and of each signer if there are several."""
        expected = self._words(references)
        errors = {
            output: list(map(sentence_errors, expected, self._words(glosses)))
            for output, glosses in hypotheses.items()
        }
        totals = {k: sum(counts, WordErrors()) for k, counts in errors.items()}
        if self.costs == 'levenshtein':
            for output, glosses in hypotheses.items():
                counts = levenshtein_errors(expected, self._words(glosses))
                totals[f'{output}_levenshtein'] = counts
        rules = f'clean-up {self._cleanup}, counted by {self.level}'
        table = f'word errors, {rules}\n{word_error_table(totals)}'
        if len(set(filter(None, signers))) > 1:
            of_signers = signer_table(errors_by_signer(signers, errors))
            table += f'\nword error rate by signer\n{of_signers}'
        return totals, table

    @property
    def _cleanup(self) -> str | None:
        return self.gloss_cleanup or (self.dataset_meta or {}).get('gloss_cleanup')

    def _words(self, sentences: Iterable[Sequence[str]]) -> list[list[str]]:
        cleaned = (clean_glosses(glosses, self._cleanup) for glosses in sentences)
        return [split_text(' '.join(glosses), self.level) for glosses in cleaned]
