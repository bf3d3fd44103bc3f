"""From an output's probabilities to glosses with times and confidences.

Symbols: T' output steps, V classes with the blank.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from mmsign.decoding import CTCBeamSearch, Hypothesis
from mmsign.vocab import GlossVocabulary

from .records import OutputReading, RecognizedGloss


def read_outputs(
    log_probs: Mapping[str, Tensor],
    search: CTCBeamSearch,
    vocab: GlossVocabulary,
    starts: np.ndarray,
    ends: np.ndarray,
) -> dict[str, OutputReading]:
    """Decode every output of one clip.

    Args:
        log_probs: Per output (T', V) natural log-probabilities on the CPU, valid
            steps only.
        search: The decoder.
        vocab: The glosses.
        starts, ends: (T',) seconds at which the frames behind each step begin
            and end.

    Returns:
        One reading per output, in the same order.
    """
    readings = {}
    for name, steps in log_probs.items():
        hypotheses = search(steps[None], blank=vocab.blank_index)[0]
        best = hypotheses[0]
        readings[name] = OutputReading(
            glosses=hypothesis_glosses(best, steps, vocab, starts, ends),
            score=best.score,
            n_best=tuple(
                (tuple(vocab.decode(found.ids)), found.score) for found in hypotheses
            ),
        )
    return readings


def hypothesis_glosses(
    best: Hypothesis,
    steps: Tensor,
    vocab: GlossVocabulary,
    starts: np.ndarray,
    ends: np.ndarray,
) -> tuple[RecognizedGloss, ...]:
    """The glosses of a labelling of ``steps`` (T', V), with times and confidences;
    ``starts`` and ``ends`` as in ``read_outputs``."""
    return tuple(
        RecognizedGloss(
            gloss=gloss,
            start=round(float(starts[start]), 4),
            end=round(float(ends[end - 1]), 4),
            confidence=round(float(steps[start:end, index].exp().mean()), 4),
        )
        for gloss, index, (start, end) in zip(
            vocab.decode(best.ids), best.ids, best.spans, strict=True
        )
    )


def step_times(
    frame_times: np.ndarray, frame_seconds: float, steps: int, stride: float
) -> tuple[np.ndarray, np.ndarray]:
    """When the frames behind each output step begin and end.

    Args:
        frame_times: (T,) seconds of the frames that the network saw.
        frame_seconds: How long each is shown.
        steps: Valid output steps.
        stride: Frames per output step.

    Returns:
        ``starts`` and ``ends``, (steps,) seconds.
    """
    last_frame = len(frame_times) - 1
    first = np.floor(np.arange(steps) * stride).astype(int)
    last = np.ceil(np.arange(1, steps + 1) * stride).astype(int) - 1
    first, last = np.minimum(first, last_frame), np.minimum(last, last_frame)
    return frame_times[first], frame_times[last] + frame_seconds
