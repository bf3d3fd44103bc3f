"""Scores of single signs: clips of one gloss, and idle ones without any.

The signs of a clip are ranked whether or not the best one is believed: accuracy@k is
the share of clips whose sign is among the k best. Whether it is believed is counted
apart: signs that are rejected as "none of these", idle clips in which a sign is
accepted falsely. Rates are in percent.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from mmsign.errors import DataError

from .cleanup import clean_glosses
from .wer import most_common

BEST_SIGNS = 5
"""The k of accuracy@k, besides 1; so many are listed of a clip in testing."""


@dataclass(frozen=True)
class SignClip:
    """One clip, and what one output read in it.

    Attributes:
        reference: Its sign; empty of an idle clip.
        ranked: The signs that were read, best first, no sign twice.
        accepted: Whether the best is believed.
        confidence: Of the best; None if nobody says.
        signer: Who signs.
    """

    reference: str
    ranked: tuple[str, ...]
    accepted: bool = True
    confidence: float | None = None
    signer: str = ''

    def is_right(self, k: int = 1) -> bool:
        """Whether the sign is among the k best."""
        return bool(self.reference) and self.reference in self.ranked[:k]


@dataclass(frozen=True)
class SignScores:
    """Scores of clips.

    Examples:
        >>> ranked = 'SUN', 'RAIN'
        >>> clips = SignClip('SUN', ranked), SignClip('RAIN', ranked)
        >>> scores = SignScores((*clips, SignClip('', ranked, accepted=False)))
        >>> scores.accuracy(1), scores.accuracy(5), scores.false_accepts
        (50.0, 100.0, 0.0)
    """

    clips: tuple[SignClip, ...]

    @property
    def signs(self) -> list[SignClip]:
        """The clips of one sign."""
        return [clip for clip in self.clips if clip.reference]

    @property
    def idle(self) -> list[SignClip]:
        """The clips without any."""
        return [clip for clip in self.clips if not clip.reference]

    def accuracy(self, k: int = 1) -> float:
        """Clips of a sign with it among the k best; NaN if there are none."""
        return _percent(clip.is_right(k) for clip in self.signs)

    def by(self, attribute: str) -> dict[str, 'SignScores']:
        """The clips of one sign by ``reference`` or by ``signer``, sorted."""
        groups: dict[str, list[SignClip]] = {}
        for clip in self.signs:
            groups.setdefault(getattr(clip, attribute), []).append(clip)
        return {name: SignScores(tuple(groups[name])) for name in sorted(groups)}

    @property
    def mean_class_accuracy(self) -> float:
        """The mean of each sign's accuracy@1, however often it occurs."""
        each = [scores.accuracy() for scores in self.by('reference').values()]
        return fmean(each) if each else float('nan')

    @property
    def rejected(self) -> float:
        """Clips of a sign that are read as none of these."""
        return _percent(not clip.accepted for clip in self.signs)

    @property
    def false_accepts(self) -> float:
        """Idle clips in which a sign is believed."""
        return _percent(clip.accepted for clip in self.idle)

    @property
    def calibration_error(self) -> float:
        """``expected_calibration_error`` of the best sign, in percent; NaN if there
        are no confidences."""
        known = [clip for clip in self.clips if clip.confidence is not None]
        return 100 * expected_calibration_error(
            [clip.confidence for clip in known], [clip.is_right() for clip in known]
        )

    def confusions(self) -> Counter[tuple[str, str]]:
        """How often a sign was taken for another, as (sign, other); in idle clips,
        under the empty name, what was believed."""
        pairs = ((clip, clip.ranked[0]) for clip in self.clips if clip.ranked)
        return Counter(
            (clip.reference, best)
            for clip, best in pairs
            if best != clip.reference and (clip.reference or clip.accepted)
        )

    @property
    def taken_for(self) -> str:
        """What the clips are taken for wrongly, the most frequent first."""
        counts: Counter[str] = Counter()
        for (_, other), count in self.confusions().items():
            counts[other] += count
        return ', '.join(f'{name} {n}' for name, n in most_common(counts, len(counts)))

    def metrics(self) -> dict[str, float]:
        """What is defined of these clips, as ``SingleSignMetric`` names it."""
        found = dict(single_signs=len(self.signs), idle_clips=len(self.idle))
        if self.signs:
            found |= {f'accuracy@{k}': self.accuracy(k) for k in (1, BEST_SIGNS)}
            found['mean_class_accuracy'] = self.mean_class_accuracy
            found['rejected_signs'] = self.rejected
        if self.idle:
            found['false_accepts'] = self.false_accepts
        if not np.isnan(error := self.calibration_error):
            found['ECE'] = error
        return found


def expected_calibration_error(
    confidences: Sequence[float], right: Sequence[bool], bins: int = 10
) -> float:
    """Σ_b n_b/n · |share that is right in b − mean confidence in b| over bins of equal
    width.

    Args:
        confidences: (n,) 0 to 1.
        right: (n,) whether each was right.
        bins: Their number.

    Returns:
        0 to 1; NaN without any confidence.

    Examples:
        >>> round(expected_calibration_error([0.9, 0.9, 0.6, 0.6], [1, 1, 1, 0]), 3)
        0.1
    """
    if not len(confidences):
        return float('nan')
    confidences, right = np.asarray(confidences, float), np.asarray(right, float)
    of_bin = np.minimum((confidences * bins).astype(int), bins - 1)
    gaps = np.bincount(of_bin, right - confidences, bins)
    return float(np.abs(gaps).sum() / len(confidences))


def sign_clip(
    reference: Sequence[str], reading: Mapping, signer: str, cleanup: str | None
) -> SignClip:
    """A clip as the corpus compares it.

    Args:
        reference: At most one gloss.
        reading: ``SignReading.to_dict()``.
        signer: Who signs.
        cleanup: A key of ``GLOSS_CLEANUPS``; signs that it unifies are one.
    """

    def cleaned(gloss: str) -> str:
        return ' '.join(clean_glosses([gloss], cleanup))

    best = reading['n_best']
    ranked = tuple(dict.fromkeys(cleaned(one['gloss']) for one in best))
    confidence = best[0]['confidence'] if best else None
    name = cleaned(reference[0]) if reference else ''
    return SignClip(name, ranked, not reading['none_of_these'], confidence, signer)


def sign_scores_of(
    records: Iterable[Mapping], output: str, cleanup: str | None = 'none'
) -> SignScores:
    """Of the records of ``prediction_dump`` those with a single sign; perhaps none.

    Raises:
        DataError: A record is no such one; the clip is named.
    """
    clips = []
    for record in records:
        reading = record['hypotheses'][output].get('single_sign')
        if reading is not None:
            signer = str(record.get('signer') or 'unknown')
            try:
                clip = sign_clip(record['reference'], reading, signer, cleanup)
            except (KeyError, TypeError, IndexError, AttributeError) as error:
                name = record['clip_id']
                raise DataError(f'clip {name!r}: no single sign: {reading}') from error
            clips.append(clip)
    return SignScores(tuple(clips))


def sign_score_table(scores: Mapping[str, SignScores]) -> str:
    """A table with one line per entry, rates in percent.

    Examples:
        >>> clips = SignClip('SUN', ('SUN',)), SignClip('RAIN', ('SUN', 'RAIN'))
        >>> print(sign_score_table({'joint': SignScores(clips)}))
        output  signs     @1     @5  class mean  rejected   idle  accepted
        joint       2  50.00 100.00       50.00      0.00      0         –
    """
    width = max(map(len, [*scores, 'output']))
    columns = 'signs     @1     @5  class mean  rejected   idle  accepted'
    lines = [f'{"output":{width}}  {columns}']
    for name, one in scores.items():
        rates = one.accuracy(1), one.accuracy(BEST_SIGNS), one.mean_class_accuracy
        first, best, mean, rejected, false = map(
            _shown, (*rates, one.rejected, one.false_accepts)
        )
        lines.append(
            f'{name:{width}}  {len(one.signs):5} {first:>6} {best:>6}  {mean:>10}'
            f'  {rejected:>8}  {len(one.idle):5}  {false:>8}'
        )
    return '\n'.join(lines)


def sign_group_table(title: str, groups: Mapping[str, SignScores]) -> str:
    """Accuracy@1 and @5 of each group in percent, how many of its signs are rejected,
    and what they are taken for.

    Examples:
        >>> clips = SignClip('SUN', ('SUN',)), SignClip('RAIN', ('SUN', 'RAIN'))
        >>> print(sign_group_table('sign', SignScores(clips).by('reference')))
        sign  signs     @1     @5  rejected  taken for
        RAIN      1   0.00 100.00      0.00  SUN 1
        SUN       1 100.00 100.00      0.00
    """
    width = max(map(len, [*groups, title]))
    lines = [f'{title:{width}}  signs     @1     @5  rejected  taken for']
    for name, one in groups.items():
        rates = one.accuracy(1), one.accuracy(BEST_SIGNS), one.rejected
        first, best, rejected = map(_shown, rates)
        counts = f'{len(one.signs):5} {first:>6} {best:>6}  {rejected:>8}'
        lines.append(f'{name:{width}}  {counts}  {one.taken_for}'.rstrip())
    return '\n'.join(lines)


def _percent(values: Iterable[bool]) -> float:
    values = list(values)
    return 100 * sum(values) / len(values) if values else float('nan')


def _shown(rate: float) -> str:
    return '–' if np.isnan(rate) else f'{rate:.2f}'
