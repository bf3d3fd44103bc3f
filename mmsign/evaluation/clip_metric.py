"""Base of the metrics for the runner: one record per clip."""

import sys
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from mmengine.dist import get_rank
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmsign.errors import DataError
from mmsign.files import LineWriter

from .prediction_dump import check_dump, record_line, words_of, write_predictions
from .signers import familiar_signers


class ClipMetric(BaseMetric):
    """Gather a record per clip from all processes, score the corpus, dump it.

    A clip that several processes have seen, because the sampler fills up the last
    round, is counted once. The results are ``{output}/{name}`` for every output in
    the data samples; a table of them is logged.

    A record has ``clip_id``, ``signer``, ``reference`` and ``hypotheses``, a dict per
    output, as ``write_predictions`` takes it; and ``signer_is_trained``, whether
    training had clips of that signer, if the dataset knows.

    Args:
        dump: Path without suffix under which references and hypotheses are
            written at every evaluation, see ``write_predictions``; None writes
            nothing. Relative paths start in the current folder. While clips are
            recognized, their records are in ``{dump}.partial.jsonl``, of the n-th
            of several processes in ``{dump}.partial-n.jsonl``.
        **kwargs: As in MMEngine's ``BaseMetric``.
    """

    # The outputs' names are prefix enough; None would make MMEngine warn.
    default_prefix = ''
    # Where a data sample has what was found, by output.
    found = 'predictions'

    def __init__(self, dump: str | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.dump = dump
        self._partial: LineWriter | None = None
        if dump is not None:
            check_dump(dump)
            rank = f'-{get_rank()}' if get_rank() else ''
            self._partial = LineWriter(f'{dump}.partial{rank}.jsonl')
        self._clips: int | None = None

    @abstractmethod
    def reference(self, data_sample: dict) -> list[str] | str:
        """The glosses or the sentence that a clip is compared with.

        Raises:
            DataError: it has none; the clip is named.
        """

    @abstractmethod
    def hypothesis(self, prediction: Any) -> dict:
        """What is kept of one output's prediction, ready for JSON."""

    @abstractmethod
    def compare(
        self,
        references: list,
        hypotheses: dict[str, list],
        signers: Sequence[str | None],
    ) -> tuple[dict, str]:
        """``WordErrors`` or ``TextScores`` by output, and their table for the log.

        Args:
            references: Of each clip.
            hypotheses: Of each clip, by output.
            signers: Of each clip; None where nobody says.

        Raises:
            DataError: the score is undefined.
            ConfigError: the rules for it are unknown.
        """

    def record(self, data_sample: dict) -> dict:
        """What scoring needs of one data sample.

        Raises:
            DataError: something is missing; the clip is named.
        """
        clip, found = data_sample['clip_id'], data_sample.get(self.found)
        if not found:
            what = f"{self.found}: expected what the model's mode 'predict' returns"
            raise DataError(f'clip {clip!r} has no {what}')
        signer = data_sample.get('signer')
        trained = (self.dataset_meta or {}).get('training_signers')
        told = {} if trained is None else dict(signer_is_trained=signer in trained)
        return told | dict(
            clip_id=clip,
            signer=signer,
            reference=self.reference(data_sample),
            hypotheses={name: self.hypothesis(one) for name, one in found.items()},
        )

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep what scoring needs of each data sample.

        Args:
            data_batch: Not looked at.
            data_samples: As dicts, see ``record``.
        """
        for record in map(self.record, data_samples):
            self.results.append(record)
            if self._partial is not None:
                self._partial.write(record_line(record))

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather, score and clear the results; ``size`` is the number of clips.

        Raises:
            DataError: on the main process, if not ``size`` different clips came,
                or as in ``compute_metrics``.
        """
        # MMEngine would cut the gathered list to `size`, which drops the right
        # ones only if every process padded in the sampler's order. Here clips are
        # told apart by name, so nothing is to be cut.
        self._clips = size
        metrics = super().evaluate(sys.maxsize)
        if self._partial is not None:
            self._partial.path.unlink(missing_ok=True)
        return metrics

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Score the gathered results.

        Raises:
            DataError: no clips; a wrong number of clips; a clip lacks an output
                that another has; or as in ``compare``.
        """
        first: dict[str, dict] = {}
        for result in results:
            first.setdefault(result['clip_id'], result)
        records = list(first.values())
        clips, self._clips = self._clips, None
        if not records or clips not in (None, len(records)):
            raise DataError(
                f'{len(records)} different clips were predicted, not {clips or 1}: '
                'do two clips of the dataset share their clip_id?'
            )
        outputs = {output for record in records for output in record['hypotheses']}
        for record in records:
            if missing := sorted(outputs - record['hypotheses'].keys()):
                clip = record['clip_id']
                raise DataError(f'clip {clip!r} lacks {missing}, which others have')
        scores, table = self.score(records)
        trained = (self.dataset_meta or {}).get('training_signers')
        notice = familiar_signers((r['signer'] for r in records), trained)
        for text in filter(None, (table, notice)):
            print_log(text, logger='current')
        if self.dump is not None:
            write_predictions(self.dump, records)
        return {
            f'{output}/{name}': value
            for output, entry in scores.items()
            for name, value in entry.metrics().items()
        }

    def score(self, records: list[dict]) -> tuple[dict, str]:
        """``compare`` what the records hold."""
        hypotheses = {
            output: [words_of(record['hypotheses'][output]) for record in records]
            for output in records[0]['hypotheses']
        }
        references = [record['reference'] for record in records]
        signers = [record['signer'] for record in records]
        return self.compare(references, hypotheses, signers)
