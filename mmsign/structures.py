"""What travels with a clip: its annotation, its geometry, its predictions.

Symbols: N frames of the source, T frames after sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mmengine.structures import BaseDataElement
from torch import Tensor

FEATURES_SUFFIX = '_features'
"""Inputs of these names are a stream's pooled features, computed before."""


@dataclass(frozen=True)
class GlossPrediction:
    """The glosses that one output recognizes in a clip.

    Attributes:
        glosses: The best gloss sequence.
        score: Log-probability of that sequence, summed over the alignments that
            the beam kept.
        spans: Half-open ``(start, end)`` in frames of the source video, one per
            gloss, in order.
        n_best: ``(glosses, score)`` of the best sequences, best first.
    """

    glosses: tuple[str, ...]
    score: float
    spans: tuple[tuple[int, int], ...]
    n_best: tuple[tuple[tuple[str, ...], float], ...] = ()

    def __post_init__(self) -> None:
        if len(self.spans) != len(self.glosses):
            raise ValueError(
                f'{len(self.glosses)} glosses need as many spans, got {len(self.spans)}'
            )


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
        frames_per_step: Frames that were sampled per output step.

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
    frames_per_step: float
    translations: dict[str, TranslationPrediction]
