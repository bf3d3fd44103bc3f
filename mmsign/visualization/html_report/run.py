"""A run's predictions, cleaned, aligned and counted, for the report."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from mmsign.errors import ConfigError, DataError, explain
from mmsign.evaluation.cleanup import clean_glosses
from mmsign.evaluation.prediction_dump import read_predictions
from mmsign.evaluation.signers import familiar_signers
from mmsign.evaluation.single_signs import SignScores, sign_scores_of
from mmsign.evaluation.wer import Pair, WordErrors, align_words, alignment_errors


@dataclass(frozen=True)
class Run:
    """The sentences of a corpus and what each output made of them.

    Attributes:
        name: For headings.
        clips, signers: Names, one per sentence.
        references: The cleaned glosses of each sentence.
        alignments: Per output the alignment of each sentence.
        errors: Per output the errors of each sentence.
        signs: Per output the scores of the clips of one sign or none; without clips if
            there are no such.
        notice: Whether signers are trained on as well; empty if nothing says so.
    """

    name: str
    clips: list[str]
    signers: list[str]
    references: list[list[str]]
    alignments: dict[str, list[list[Pair]]]
    errors: dict[str, list[WordErrors]]
    signs: dict[str, SignScores]
    notice: str = ''

    def total(self, output: str) -> WordErrors:
        """The errors of the corpus."""
        return sum(self.errors[output], WordErrors())

    def grouped(self, output: str, keys: Iterable) -> dict[Hashable, WordErrors]:
        """The errors of each group of sentences; ``keys`` has one per sentence."""
        groups: dict[Hashable, WordErrors] = {}
        for key, errors in zip(keys, self.errors[output]):
            groups[key] = groups.get(key, WordErrors()) + errors
        return groups

    def worst_first(self, output: str) -> list[int]:
        """The sentences by their error rate, then by their errors."""
        errors = self.errors[output]
        ranks = [(-rate(one), -one.errors, i) for i, one in enumerate(errors)]
        return [index for *_, index in sorted(ranks)]


def load_run(path: str | Path, cleanup: str = 'none', name: str | None = None) -> Run:
    """Read and score a dump of gloss predictions.

    Args:
        path: The ``.jsonl`` file that ``WERMetric(dump=...)`` writes.
        cleanup: A key of ``GLOSS_CLEANUPS``.
        name: For headings; None takes the file's.

    Raises:
        DataError: The file is no such dump, its predictions are sentences, or its
            references hold no gloss; names the file.
    """
    records = read_predictions(path)
    if isinstance(records[0]['reference'], str):
        raise DataError(f'{path} holds sentences; the report is one of glosses')
    references = [clean_glosses(record['reference'], cleanup) for record in records]
    if not any(references):
        raise DataError(f'the references of {path} hold no gloss')
    alignments, errors, signs = {}, {}, {}
    for output in records[0]['hypotheses']:
        found = [record['hypotheses'][output]['glosses'] for record in records]
        found = [clean_glosses(glosses, cleanup) for glosses in found]
        alignments[output] = list(map(align_words, references, found))
        errors[output] = list(map(alignment_errors, alignments[output]))
        with explain(DataError, str(path), DataError):
            signs[output] = sign_scores_of(records, output, cleanup)
    clips = [record['clip_id'] for record in records]
    signers = [str(record.get('signer') or 'unknown') for record in records]
    trained = {r['signer'] for r in records if r.get('signer_is_trained')}
    # Of those who are not tested nothing is known.
    notice = familiar_signers((r.get('signer') for r in records), trained | {''})
    name = name or Path(path).stem
    return Run(name, clips, signers, references, alignments, errors, signs, notice)


def in_order_of(first: Run, second: Run) -> Run:
    """``second`` with its sentences in the order of ``first``.

    Raises:
        ConfigError: The runs are not of the same clips with the same references.
    """
    places = {clip: index for index, clip in enumerate(second.clips)}
    both = f'{first.name} and {second.name}'
    if odd := sorted(places.keys() ^ set(first.clips)):
        raise ConfigError(f'{both} differ in {len(odd)} clips, such as {odd[0]!r}')
    order = [places[clip] for clip in first.clips]

    def pick(items: list) -> list:
        return [items[index] for index in order]

    references = zip(first.references, pick(second.references))
    for clip, (ours, theirs) in zip(first.clips, references):
        if ours != theirs:
            raise ConfigError(f'{both} have different references of clip {clip!r}')
    alignments = {name: pick(items) for name, items in second.alignments.items()}
    errors = {name: pick(items) for name, items in second.errors.items()}
    found = dict(alignments=alignments, errors=errors, signs=second.signs)
    return replace(first, name=second.name, **found)


def rate(errors: WordErrors) -> float:
    """WER in percent; without reference words 0, or infinite if any is inserted."""
    if errors.reference_words:
        return errors.wer
    return float('inf') if errors.errors else 0.0
