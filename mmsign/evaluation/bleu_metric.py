"""BLEU, ROUGE-L and chrF as a metric of MMEngine's runner."""

from __future__ import annotations

from mmengine.logging import print_log

from mmsign.errors import DataError, optional_import
from mmsign.registry import METRICS
from mmsign.text.languages import finish_sentence

from .bleu import METRICS as SACREBLEU
from .clip_metric import ClipMetric
from .text_scores import score_texts, text_score_table


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

    def __init__(self, level: str | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        optional_import(*SACREBLEU)
        self.level = level

    def record(self, data_sample: dict) -> dict:
        """The sentences of a data sample.

        Args:
            data_sample: With ``clip_id``, ``signer``, ``text`` and
                ``translations``: a ``TranslationPrediction`` per output.

        Raises:
            DataError: the clip has no translations, or no sentence to compare
                them with.
        """
        clip, text = data_sample['clip_id'], data_sample.get('text')
        translations = data_sample.get('translations')
        if not translations:
            raise DataError(
                f'clip {clip!r} has no translations to score: expected data samples '
                "as a translation model's mode 'predict' returns them"
            )
        if text is None or not text.strip():
            raise DataError(
                f'clip {clip!r} has no sentence in its annotation to score against'
            )
        language = (self.dataset_meta or {}).get('language', '')
        hypotheses = {
            output: dict(
                text=finish_sentence(found.text, language),
                score=float(found.score),
                n_best=[
                    [finish_sentence(text, language), float(score)]
                    for text, score in found.n_best
                ],
            )
            for output, found in translations.items()
        }
        return dict(
            clip_id=clip,
            signer=data_sample.get('signer'),
            reference=text,
            hypotheses=hypotheses,
        )

    def score(self, records: list[dict]) -> dict[str, float]:
        """Score each output.

        Raises:
            ConfigError: an unknown level.
        """
        level = self.level or (self.dataset_meta or {}).get('level', 'word')
        references = [record['reference'] for record in records]
        scores = {
            output: score_texts(
                references, [r['hypotheses'][output]['text'] for r in records], level
            )
            for output in records[0]['hypotheses']
        }
        print_log(
            f'sentences, compared by {level}\n{text_score_table(scores)}',
            logger='current',
        )
        metrics = {}
        for output, entry in scores.items():
            for order in (1, 2, 3, 4):
                metrics[f'{output}/BLEU-{order}'] = getattr(entry, f'bleu{order}')
            metrics[f'{output}/ROUGE-L'] = entry.rouge_l
            metrics[f'{output}/ROUGE-L-beta1.2'] = entry.rouge_l_beta1_2
            metrics[f'{output}/chrF'] = entry.chrf
        return metrics
