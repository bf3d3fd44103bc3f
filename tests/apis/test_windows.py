from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest
import torch
from tiny_network import keypoints_of, random_frames

from mmsign.apis import open_network
from mmsign.apis.clip_statistics import ClipStatistics, RestPose
from mmsign.apis.windows import (
    StreamFrame,
    WindowedNetwork,
    window_for_clips,
    window_for_streams,
)
from mmsign.errors import ClipError, ConfigError
from mmsign.models.layers.sequence import PositionEncoding


def longer(network, max_length: int = 400, **corpus):
    """The network, taking more frames at once."""
    pipeline = copy(network.pipeline)
    pipeline.max_length = max_length
    spec = replace(network.spec, corpus=network.spec.corpus | corpus)
    return replace(network, pipeline=pipeline, spec=spec)


@pytest.fixture(scope='module')
def network(network_files):
    return longer(open_network(*network_files, device='cpu'))


def stream(count: int):
    return random_frames(count), keypoints_of(count)[:, :79]


def of(image, pose) -> StreamFrame:
    return StreamFrame(image, pose, image.shape[1::-1])


def stitched(windows: WindowedNetwork, frames, poses) -> list:
    parts = [windows.step(of(frame, pose)) for frame, pose in zip(frames, poses)]
    return [part for part in (*parts, windows.end()) if part is not None]


def joined(parts: list) -> dict:
    return {
        name: torch.cat([part.log_probs[name] for part in parts])
        for name in parts[0].log_probs
    }


def offline(inferencer, frames, poses) -> dict:
    job = inferencer.preprocess(frames, poses)
    log_probs, _ = inferencer.network.log_probs([job.prepared])
    return {name: x[0] for name, x in log_probs.items()}


@pytest.mark.slow
def test_with_enough_context_it_is_as_if_read_at_once(network, inferencer, monkeypatch):
    """Windows whose context covers the receptive field (57 frames either side).

    Without the position encoding: it counts from the beginning of a window.
    """
    monkeypatch.setattr(PositionEncoding, 'forward', lambda self, x: x)
    pipeline = inferencer.network.pipeline
    for where in (pipeline, pipeline._sample):
        monkeypatch.setattr(where, 'max_length', 400)
    frames, poses = stream(181)
    windows = WindowedNetwork(network, window=136, hop=16)
    parts = stitched(windows, frames, poses)
    assert [len(p.log_probs['average']) for p in parts] == [19, 4, 4, 18]
    assert [len(p.preview['joint']) for p in parts] == [15, 15, 15, 0]
    expected = offline(inferencer, frames, poses)
    for name, found in joined(parts).items():
        torch.testing.assert_close(found, expected[name], atol=2e-4, rtol=1e-4)
    # Two steps less of context are seen in the result.
    narrow = WindowedNetwork(network, window=64, hop=48)
    found = joined(stitched(narrow, frames, poses))['average']
    assert (found - expected['average']).abs().max() > 1e-3


@pytest.mark.parametrize('count', [1, 5, 40])
def test_a_short_stream_is_as_a_clip(network, inferencer, count):
    frames, poses = stream(count)
    windows = WindowedNetwork(network, window=64, hop=16)
    for _ in range(2):  # and the recognizer may be used again
        found = joined(stitched(windows, frames, poses))
        for name, expected in offline(inferencer, frames, poses).items():
            torch.testing.assert_close(found[name], expected, atol=0, rtol=0)
    assert windows.end() is None


def test_few_frames_are_held(network):
    windows = WindowedNetwork(network, window=32, hop=16)
    held = []
    for frame, pose in zip(*stream(120)):
        windows.step(of(frame, pose))
        held.append(len(windows._frames))
    assert max(held) < windows.window + windows.hop
    assert windows.delay == 8 + 16


def test_every_frame_is_committed_once(network):
    for count in (28, 33, 47):
        windows = WindowedNetwork(network, window=32, hop=8)
        found = joined(stitched(windows, *stream(count)))
        assert len(found['average']) == count // 4


def test_where_nobody_is_nothing_is_read(network):
    frames, poses = stream(40)
    poses[..., 2] = 0.01
    windows = WindowedNetwork(network, window=32, hop=16)
    found = joined(stitched(windows, frames, poses))['average']
    assert torch.all(found[:, 0] == 0) and torch.all(found[:, 1:] == -30)


def test_settings_and_frames_that_do_not_fit(network):
    for window, hop in ((30, 10), (32, 20), (16, 32), (512, 16), (32, 0)):
        with pytest.raises(ConfigError, match='do not fit'):
            WindowedNetwork(network, window, hop)
    windows = WindowedNetwork(network, 32, 16)
    frames, poses = stream(1)
    windows.step(of(frames[0], poses[0]))
    with pytest.raises(ClipError, match=r'frame 1 of the stream has \(32, 24\)'):
        windows.step(of(frames[0, ::2, ::2], poses[0]))


def test_looking_early_commits_nothing(network, inferencer):
    frames, poses = stream(40)
    early = WindowedNetwork(network, 32, 8, early=True)
    parts = stitched(early, frames, poses)
    first = offline(inferencer, frames[:16], poses[:16])
    assert [len(p.log_probs['average']) for p in parts] == [0, 0, 0, 5, 2, 3]
    assert [len(p.preview['average']) for p in parts] == [2, 4, 6, 3, 3, 0]
    for name, expected in first.items():
        torch.testing.assert_close(parts[1].preview[name], expected, atol=0, rtol=0)
    late = WindowedNetwork(network, 32, 8)
    for name, expected in joined(stitched(late, frames, poses)).items():
        torch.testing.assert_close(joined(parts)[name], expected, atol=0, rtol=0)


@pytest.mark.parametrize(
    ('lengths', 'rests', 'expected'),
    [
        ((12, 19, 61), True, (64, 16)),  # the toy corpus
        ((12, 19, 61), False, (32, 8)),
        ((20, 116, 475), False, (128, 32)),  # like Phoenix-2014
        ((20, 116, 475), True, (400, 104)),  # what the pipeline takes
        ((3, 4, 5), True, (16, 8)),
    ],
)
def test_windows_of_a_stream_are_as_long_as_clips(network, lengths, rests, expected):
    rest = RestPose(((0.5, 1.2), (-0.5, 1.2)), 0.2, 2) if rests else None
    statistics = ClipStatistics(*lengths, rest).to_dict()
    assert window_for_streams(longer(network, signing=statistics)) == expected
    WindowedNetwork(network, *expected)  # and they fit


def test_windows_of_a_network_nobody_has_measured(network):
    assert window_for_streams(network) == (64, 16)
    assert window_for_clips(network) == (400, 200)
    assert window_for_clips(longer(network, 60)) == (48, 24)
