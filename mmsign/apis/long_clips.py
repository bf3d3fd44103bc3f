"""Clips that a network does not take at once: by utterances, or in windows.

Frames are decoded as they are needed and probabilities dropped once they are read, so
that a clip of any length will do.

Symbols: M frames of a clip at the rate of training.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mmsign.decoding import CTCBeamSearch
from mmsign.structures import TimedGloss

from .clips import Clip
from .networks import Network
from .preparation import Pipeline
from .records import OutputResult
from .stream_decoder import StreamDecoder
from .utterances import Piece, UtteranceReader, count_utterances
from .windows import WindowedNetwork, window_for

# Output steps that are decoded together at most.
LONG_STEPS = 256


def notice_if_long(
    network: Network, pipeline: Pipeline, count: int, keypoints: np.ndarray | None
) -> str:
    """How a clip that is not to be read at once will be read.

    Args:
        network: With or without ``habits``.
        pipeline: Of the network.
        count: M.
        keypoints: (M, 79, 3), or None.

    Returns:
        A sentence; empty for a clip that is read at once: one that is no longer than
        the pipeline takes and, if the network knows pauses, no longer than its
        training clips or without a pause.
    """
    habits = network.habits
    if keypoints is not None and habits and habits.rest and count > habits.longest:
        utterances = count_utterances(keypoints, habits)
        if utterances > 1:
            return (
                f'{count} frames, the longest training clip has {habits.longest}: '
                f'taken apart at the pauses, {utterances} utterances'
            )
    if count <= pipeline.max_length:
        return ''
    window, hop = window_for(pipeline)
    return (
        f'{count} frames, the network takes {pipeline.max_length}: read in windows of '
        f'{window}, one every {hop} frames'
    )


def read_long(
    network: Network,
    pipeline: Pipeline,
    search: CTCBeamSearch,
    clip: Clip,
    keypoints: np.ndarray | None,
) -> dict[str, OutputResult]:
    """Read a clip piece by piece.

    Args:
        network, pipeline: Of which one takes the clip's pieces.
        search: Decodes them.
        clip: Resampled already.
        keypoints: (M, 79, 3) at the clip's chosen frames, or None.

    Returns:
        What each output read. ``n_best`` lists the best sequence alone: there are
        more than can be counted of so long a clip. Empty if the hands rest throughout.
    """
    windows = WindowedNetwork(network, pipeline, *window_for(pipeline))
    reader = UtteranceReader(windows, network.habits)
    vocab, stride = network.model.vocab, network.time_stride
    decoders: dict[str, StreamDecoder] = {}
    glosses: dict[str, list[TimedGloss]] = {}

    def seconds(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        starts = clip.times[np.minimum(frames, len(clip.times) - 1)]
        return starts, starts + clip.frame_seconds

    def read(pieces: list[Piece]) -> None:
        for piece in pieces:
            for name in piece.steps.log_probs:
                if name not in decoders:
                    decoders[name] = StreamDecoder(
                        search, vocab, stride, seconds, name, max_steps=LONG_STEPS
                    )
                glosses.setdefault(name, []).extend(decoders[name].push(piece))

    count = len(clip.times)
    frames: Iterable = [None] * count
    if pipeline.needs_frames:
        indices = clip.indices if clip.indices is not None else np.arange(count)
        frames = clip.source.stream(indices)
    poses = [None] * count if keypoints is None else keypoints
    for frame, pose in zip(frames, poses):
        read(reader.push(frame, pose, clip.source.frame_size))
    read(reader.finish())
    results = {}
    for name, found in glosses.items():
        score = decoders[name].score
        best = tuple(gloss.symbol for gloss in found), score
        results[name] = OutputResult(tuple(found), score, (best,))
    return results
