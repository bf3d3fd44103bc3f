"""Scores of single signs as a metric of MMEngine's runner."""

from collections.abc import Sequence
from typing import Any

from mmsign.registry import METRICS

from .single_signs import SignScores, sign_group_table, sign_score_table, sign_scores_of
from .wer_metric import WERMetric


@METRICS.register_module()
class SingleSignMetric(WERMetric):
    """Accuracy of single signs, over the clips whose reference has one gloss or none.

    Says nothing about a split without such clips. For each output the results are,
    in percent, ``{output}/accuracy@1`` and ``/accuracy@5``, the share of clips whose
    sign is among the k most probable; ``/mean_class_accuracy``, the mean of each
    sign's accuracy@1; ``/rejected_signs``, read as none of these;
    ``/false_accepts``, idle clips (without any gloss) in which a sign is believed;
    ``/ECE``, the expected calibration error of the best sign's probability; and the
    counts ``/single_signs`` and ``/idle_clips``. Logged are a table of them and, of
    the last output, the accuracy of each signer and each sign.

    Args:
        gloss_cleanup: As in ``WERMetric``.
        **kwargs: As in ``ClipMetric``; a dump holds these clips alone.
    """

    def __init__(self, gloss_cleanup: str | None = None, **kwargs) -> None:
        super().__init__(gloss_cleanup, **kwargs)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the clips of at most one gloss."""
        single = [sample for sample in data_samples if len(sample['glosses']) < 2]
        super().process(data_batch, single)
        if not self.results:  # MMEngine would warn
            self.results.append({})

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather, score and clear the results, of which there may be none."""
        return super().evaluate(None)  # any number of clips

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Score the gathered results; as in ``ClipMetric``, but {} for no clips."""
        found = [record for record in results if record]
        return super().compute_metrics(found) if found else {}

    def score(self, records: list[dict]) -> tuple[dict[str, SignScores], str]:
        """Scores of each output, and the tables."""
        cleanup = self.gloss_cleanup or (self.dataset_meta or {}).get('gloss_cleanup')
        outputs = records[0]['hypotheses']
        scores = {name: sign_scores_of(records, name, cleanup) for name in outputs}
        table = f'single signs, in percent\n{sign_score_table(scores)}'
        last = list(outputs)[-1]
        for title, attribute in (('signer', 'signer'), ('sign', 'reference')):
            table += f'\n{last}, by {title}\n'
            table += sign_group_table(title, scores[last].by(attribute))
        return scores, table
