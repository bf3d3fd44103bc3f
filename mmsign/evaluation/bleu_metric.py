"""BLEU, ROUGE-L and chrF as a metric of MMEngine's runner."""

from collections.abc import Sequence
from functools import partial

from mmsign.errors import DataError, optional_import
from mmsign.registry import METRICS
from mmsign.structures import TranslationPrediction
from mmsign.text.languages import finish_sentence

from .clip_metric import ClipMetric
from .text_scores import SACREBLEU, TextScores, score_texts, text_score_table


@METRICS.register_module()
class BLEUMetric(ClipMetric):
    """BLEU, ROUGE-L and chrF of every output in the data samples.

    For each output that translates (``video``, ``keypoint``, ``joint``,
    ``ensemble``; whatever the model gives) the results are, in percent,
    ``{output}/BLEU-1`` to ``/BLEU-4``, ``{output}/ROUGE-L`` (beta = P / R, as the
    paper reports it), ``{output}/ROUGE-L-beta1.2`` and ``{output}/chrF``. A table of
    them is logged with sacrebleu's signature.

    The sentence of a German corpus ends as the Phoenix texts do, with the full stop
    as a word of its own: a hypothesis that does not is changed before it is scored
    or written.

    Args:
        level: ``word`` or ``character``; None takes the dataset's
            ``metainfo['level']``, ``word`` if it names none.
        **kwargs: As in ``ClipMetric``.

    Raises:
        MissingPackageError: sacrebleu is not installed; before anything is trained.
    """

    found = 'translations'

    def __init__(self, level: str | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        optional_import(*SACREBLEU)
        self.level = level

    def reference(self, data_sample: dict) -> str:
        """The sentence of a data sample."""
        text = data_sample.get('text')
        if text is None or not text.strip():
            clip = data_sample['clip_id']
            raise DataError(f'clip {clip!r} has no sentence to score against')
        return text

    def hypothesis(self, prediction: TranslationPrediction) -> dict:
        """Sentence, score and the n best."""
        language = (self.dataset_meta or {}).get('language', '')
        finish = partial(finish_sentence, language=language)
        return dict(
            text=finish(prediction.text),
            score=float(prediction.score),
            n_best=[[finish(text), float(score)] for text, score in prediction.n_best],
        )

    def compare(
        self,
        references: list,
        hypotheses: dict[str, list],
        signers: Sequence[str | None],
    ) -> tuple[dict[str, TextScores], str]:
        """Score each output."""
        level = self.level or (self.dataset_meta or {}).get('level', 'word')
        scores = {k: score_texts(references, x, level) for k, x in hypotheses.items()}
        return scores, f'sentences, compared by {level}\n{text_score_table(scores)}'
