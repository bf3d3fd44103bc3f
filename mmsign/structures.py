"""What travels with a clip: its annotation, its geometry, its predictions.

Symbols: N frames of the source, T frames after sampling.
"""

from dataclasses import dataclass

import numpy as np
from mmengine.structures import BaseDataElement
from torch import Tensor

from mmsign.timing import StepClock, TimedGloss

FEATURES_SUFFIX = '_features'
"""Inputs of these names are a stream's pooled features, computed before."""


@dataclass(frozen=True)
class SignReading:
    """A clip read as a single sign.

    Attributes:
        n_best: ``(gloss, probability)`` of the best signs, best first.
        no_sign: Probability that nothing is signed; with those of all signs, listed or
            not, it sums to 1.
        accepted: Whether the best one is to be believed; if not, it is none of these.

    Examples:
        >>> SignReading((('RAIN', 0.9), ('SUN', 0.06)), 0.04, accepted=True).gloss
        'RAIN'
    """

    n_best: tuple[tuple[str, float], ...]
    no_sign: float
    accepted: bool

    @property
    def gloss(self) -> str | None:
        """The sign that was read; None if it is none of these."""
        return self.n_best[0][0] if self.accepted else None

    def to_dict(self) -> dict:
        """``n_best``, ``no_sign`` and ``none_of_these``, ready for JSON."""
        best = [dict(gloss=name, confidence=round(p, 4)) for name, p in self.n_best]
        told = dict(no_sign=round(self.no_sign, 4), none_of_these=not self.accepted)
        return dict(n_best=best) | told


@dataclass(frozen=True)
class GlossPrediction:
    """What one output of the network says of a clip.

    Attributes:
        timed: The best gloss sequence, each with its time in frames of the source
            video.
        score: Log-probability of that sequence, summed over the alignments that
            the beam kept.
        n_best: ``(glosses, score)`` of the best sequences, best first.
        single_sign: The clip read as one sign; None of a clip whose reference has
            several.

    Examples:
        >>> found = GlossPrediction((TimedGloss('RAIN', 12, 8),), score=-0.1)
        >>> found.glosses, found.spans
        (('RAIN',), ((12, 20),))
    """

    timed: tuple[TimedGloss, ...]
    score: float
    n_best: tuple[tuple[tuple[str, ...], float], ...] = ()
    single_sign: SignReading | None = None

    @property
    def glosses(self) -> tuple[str, ...]:
        """The names alone."""
        return tuple(gloss.symbol for gloss in self.timed)

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Half-open ``(start, end)`` in frames of the source video, one per gloss."""
        return tuple((gloss.start, gloss.end) for gloss in self.timed)


@dataclass(frozen=True)
class TranslationPrediction:
    """The sentence that one output makes of a clip.

    Attributes:
        text: The best sentence, as it is written; may be empty.
        score: Its log-probability as the search ranks it, length penalty included.
        n_best: ``(text, score)`` of the best sentences, best first.
    """

    text: str
    score: float
    n_best: tuple[tuple[str, float], ...] = ()


class SignDataSample(BaseDataElement):
    """Annotation and predictions of one clip.

    Meta information, fixed once the clip is packed:

    Attributes:
        clip_id: Name of the clip in its corpus.
        signer: Name of the signer.
        glosses: The reference as the corpus writes it; never cleaned or dropped.
        text: The spoken-language sentence, or None.
        num_frames: N.
        frame_indices: (T,) int64, sorted; the source frames that were taken.
        length: T, the valid frames before a batch is padded.
        frame_size: ``(width, height)`` of the source in pixels.
        crop_box: ``(x0, y0, width, height)`` in pixels of the source.

    Data, written by a recognizer:

    Attributes:
        predictions: ``GlossPrediction`` by output name: ``video``, ``keypoint``,
            ``joint``, ``average``.
        log_probs: Natural log-probabilities (valid steps, V) by output, on the CPU.
        clock: When output steps begin and end, in frames of the source video; in the
            inferencer in seconds, as the times of ``predictions`` then are.

    Data, written by a translator:

    Attributes:
        translations: ``TranslationPrediction`` by output name: ``video``,
            ``keypoint``, ``joint``, ``ensemble``.
    """

    clip_id: str
    signer: str
    glosses: list[str]
    text: str | None
    num_frames: int
    frame_indices: np.ndarray
    length: int
    frame_size: tuple[int, int]
    crop_box: tuple[float, float, float, float]
    predictions: dict[str, GlossPrediction]
    log_probs: dict[str, Tensor]
    clock: StepClock
    translations: dict[str, TranslationPrediction]
