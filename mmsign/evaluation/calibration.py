"""Fit calibrations on the predictions of a development split.

Symbols: V gloss classes with the blank, n glosses or clips, τ temperature.

Nothing here raises for an odd split: what cannot be fitted is left out, and a note
says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmsign.decoding import (
    Calibration,
    ConfidenceMap,
    SignCalibration,
    sign_probabilities,
)
from mmsign.decoding.calibration import logit

from .cleanup import clean_glosses
from .single_signs import expected_calibration_error
from .wer import align_words

TEMPERATURES = tuple(2 ** (k / 4) for k in range(-12, 33))
"""Those that are tried: 1/8 to 256."""

# Of a temperature in the score that it minimizes, per squared factor e: far less than
# one clip, so that it decides only where the clips do not.
_PRIOR = 0.02
_SURE = 0.01
_MOST = 1000.0
# Standard deviations of slope and offset around the identity.
_SLOPE, _OFFSET = 1.0, 2.0


@dataclass(frozen=True)
class SignEvidence:
    """What one clip of a single sign, or of none, says about a calibration.

    Attributes:
        is_idle: Whether nothing is signed in it.
        is_right: Whether its best sign is its sign.
        margin: Log-likelihood of the best sign less that of no sign, −1000 to 1000.
        among: Probability of the best sign among all signs, at each of
            ``TEMPERATURES``.
        odds: Logarithm of the odds that it is any sign at all, likewise.
        steps: Of the clip; 0 if that is not known.
    """

    is_idle: bool
    is_right: bool
    margin: float
    among: tuple[float, ...]
    odds: tuple[float, ...]
    steps: int = 0

    @classmethod
    def of(
        cls, log_likelihoods: Tensor, target: int | None, blank: int = 0, steps: int = 0
    ) -> 'SignEvidence':
        """From the clip's log-likelihoods (V,), and its class; None if it is idle."""
        signs = log_likelihoods.clone()
        signs[blank] = -torch.inf
        best, silence = int(signs.argmax()), log_likelihoods[blank]
        # Where nothing is possible, no sign.
        margin = (signs[best] - silence).nan_to_num(-_MOST).clamp(-_MOST, _MOST)
        temperatures = torch.tensor(TEMPERATURES, dtype=signs.dtype)
        among = sign_probabilities(signs[None], temperatures[:, None])[:, best]
        any_sign = (signs / temperatures[:, None]).logsumexp(-1)
        odds = (any_sign - silence / temperatures).nan_to_num(-_MOST)
        is_right, numbers = best == target, (among.tolist(), odds.tolist())
        numbers = margin.item(), *map(tuple, numbers)
        return cls(target is None, is_right, *numbers, steps)


def judge_glosses(
    reference: Sequence[str], found: Sequence[str], cleanup: str | None = 'none'
) -> list[bool | None]:
    """Whether each gloss that was found is right in the alignment with the reference.

    Each is cleaned by itself, so that it can be told which one an error belongs to;
    None for those that the clean-up leaves out.

    Examples:
        >>> judge_glosses(['REGEN', 'NORD'], ['NORD', 'WIND'])
        [True, False]
    """
    words = [clean_glosses([gloss], cleanup) for gloss in found]
    pairs = align_words(
        clean_glosses(reference, cleanup), [word for own in words for word in own]
    )
    right = iter([expected == word for expected, word in pairs if word is not None])
    judged = [[next(right) for _ in own] for own in words]
    return [all(own) if own else None for own in judged]


def fit_calibration(
    glosses: Sequence[tuple[float, bool]],
    clips: Sequence[SignEvidence] = (),
    max_rejected: float = 0.05,
) -> Calibration:
    """Fit the calibration of one output.

    Args:
        glosses: Of every gloss that was found its mean probability, not calibrated,
            and whether it is right.
        clips: The clips of at most one sign.
        max_rejected: Share of signs that the threshold may reject at most.

    Examples:
        >>> fit = fit_calibration([(0.95, True)] * 60 + [(0.95, False)] * 40)
        >>> abs(fit.glosses(0.95) - 0.6) < 0.02
        True
        >>> fit_calibration([]).notes
        ('no gloss was found: confidences stay as they are',)
    """
    confidences = np.array([confidence for confidence, _ in glosses], float)
    right = np.array([is_right for _, is_right in glosses], bool)
    measured, notes = dict(glosses=len(glosses)), []
    found = fit_confidences(confidences, right)
    if found is None:
        notes.append('no gloss was found: confidences stay as they are')
    else:
        mapped = [found(confidence) for confidence in confidences]
        before = expected_calibration_error(confidences, right)
        measured['ECE_before'] = 100 * before
        measured['ECE'] = 100 * expected_calibration_error(mapped, right)
    signs = None
    if clips:
        signs, of_signs, note = fit_signs(clips, max_rejected)
        measured |= of_signs
        notes += [note] * bool(note)
    return Calibration(found, signs, measured, tuple(notes))


def fit_confidences(confidences: np.ndarray, right: np.ndarray) -> ConfidenceMap | None:
    """Platt scaling: the most probable slope and offset, with normal priors around the
    identity, by Newton's method; the slope never below 0.

    The priors keep the map from certainty where all are right, or all wrong: that says
    as much about confidences as any other share.

    Args:
        confidences: (n,) mean probabilities.
        right: (n,) bool.

    Returns:
        None for n = 0.
    """
    if not len(right):
        return None
    x = np.stack([[logit(c) for c in confidences], np.ones(len(right))], axis=1)
    middle, weight = np.array([1.0, 0.0]), np.array([_SLOPE, _OFFSET]) ** -2.0
    for free in (slice(0, 2), slice(1, 2)):
        point = middle.copy() if free.start == 0 else np.zeros(2)
        for _ in range(50):
            p = 1 / (1 + np.exp(-x @ point))
            gradient = x.T @ (p - right) + weight * (point - middle)
            curvature = (x.T * (p * (1 - p))) @ x + np.diag(weight)
            step = np.linalg.solve(curvature[free, free], gradient[free])
            point[free] -= np.clip(step, -1, 1)
        if point[0] >= 0:
            break
    return ConfidenceMap(float(point[0]), float(point[1]))


def fit_signs(
    clips: Sequence[SignEvidence], max_rejected: float = 0.05
) -> tuple[SignCalibration | None, dict[str, float], str]:
    """Fit the calibration of single signs.

    Three numbers, one after the other:

    - what is added to the log-likelihood of no sign lies in the middle between the
      margins of idle clips and those of signs, so that strangers of whom the network
      is less sure are not passed over; it is positive only where idle clips demand
      it, and no more than ``max_rejected`` of the signs are less probable than no sign;
    - the temperature maximizes the likelihood that the best signs are right or wrong
      as they are, by probabilities no nearer to 0 and 1 than ``_SURE``: one clip that
      is wrong with certainty, such as a wrong annotation, cannot decide alone;
    - the threshold lies in the middle between the surest idle clip that is accepted,
      or 0, and the highest one that rejects at most ``max_rejected`` of the signs.

    Returns:
        The calibration, or None; what it measures on these clips; why there is none,
        or no temperature.
    """
    signs = [clip for clip in clips if not clip.is_idle]
    measured = dict(signs=len(signs), idle=len(clips) - len(signs))
    right = np.array([clip.is_right for clip in clips], float)
    if not right.any():
        kind = f'none of {len(signs)} single signs is right' if signs else 'idle clips'
        return None, measured, f'{kind}: no temperature and no threshold'
    of_signs = np.array([not clip.is_idle for clip in clips])
    margins = np.array([clip.margin for clip in clips])
    no_sign = _no_sign(margins[of_signs], margins[~of_signs], max_rejected)
    among = np.array([clip.among for clip in clips])
    odds = np.array([clip.odds for clip in clips])
    table = among / (1 + np.exp(-(odds - no_sign / np.array(TEMPERATURES)).clip(-500)))
    identity = TEMPERATURES.index(1.0)
    chosen, note = identity, ''
    if right.all():
        note = f'all {len(signs)} single signs are right: the temperature stays 1'
    else:
        prior = _PRIOR * np.log(TEMPERATURES) ** 2
        of_truth = np.where(right[:, None], table, 1 - table).clip(_SURE, 1 - _SURE)
        chosen = int((prior - np.log(of_truth).sum(0)).argmin())
    beaten = margins <= no_sign
    scores = np.where(beaten, 0.0, table[:, chosen])
    allowed = np.sort(scores[of_signs])[int(max_rejected * len(signs))]
    surest = scores[~of_signs].max(initial=0.0)
    # A little lower: what is computed in another order is not rejected.
    threshold = float((min(surest, allowed) + allowed) / 2) * (1 - 1e-6)
    accepted = ~beaten & (scores >= threshold)
    plain = among[:, identity] / (1 + np.exp(-odds[:, identity].clip(-500)))
    for name, p in dict(signs_ECE_before=plain, signs_ECE=table[:, chosen]).items():
        measured[name] = 100 * expected_calibration_error(p, right)
    measured['rejected_signs'] = 100 * float((~accepted[of_signs]).mean())
    if not of_signs.all():
        measured['false_accepts'] = 100 * float(accepted[~of_signs].mean())
    steps = max(clip.steps for clip in clips)
    calibration = SignCalibration(TEMPERATURES[chosen], threshold, no_sign, steps)
    return calibration, measured, note


def _no_sign(signs: np.ndarray, idle: np.ndarray, max_rejected: float) -> float:
    """What is added to the log-likelihood of no sign, from the clips' margins."""
    # No more than the share of signs lies at or below.
    most = np.sort(signs)[int(max_rejected * len(signs))] - 1e-3
    if not len(idle):
        return float(min(most, 0.0))
    least = np.sort(idle)[::-1][int(max_rejected * len(idle))]
    return float(min((least + most) / 2, max(least, 0.0), most))
