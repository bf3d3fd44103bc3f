from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_network import keypoints_of, random_frames, write_network

from mmsign.apis import open_network
from mmsign.apis.clip_statistics import ClipStatistics, RestPose
from mmsign.apis.clips import open_clip
from mmsign.apis.pipeline import Pipeline
from mmsign.apis.stream import StreamReader
from mmsign.apis.windows import (
    StreamFrame,
    WindowedNetwork,
    window_for_clips,
    window_for_streams,
)
from mmsign.decoding import CTCBeamSearch, IncrementalCTC
from mmsign.errors import ClipError, ConfigError
from mmsign.keypoints import SHOULDERS
from mmsign.models.layers.sequence import PositionEncoding
from mmsign.registry import TRANSFORMS


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


@pytest.mark.parametrize('count', [1, 5, 40, 64])
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
    assert max(held) <= windows.window + windows.hop
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
    assert [len(p.log_probs['average']) for p in parts] == [0, 0, 0, 5, 5]
    assert [len(p.preview['average']) for p in parts] == [2, 4, 6, 3, 0]
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


# Looking by the keypoints, holding the last frame ----------------------------------


def small_recipe(network, frames: bool = True):
    """The network behind a pipeline that crops by the signer and holds the last."""
    names = ['SampleClip', *['DecodeClip'] * frames, 'SignerCrop']
    names += [*['ClipResize'] * frames, 'HoldLast', 'PackClip']
    settings = dict(
        SampleClip=dict(test=True, max_length=64),
        ClipResize=dict(size=32),
        HoldLast=dict(frames=8),
    )
    steps = [dict(type='LoadClip', frames=frames)]
    steps += [dict(type=name) | settings.get(name, {}) for name in names]
    pipeline = Pipeline(list(map(TRANSFORMS.build, steps)), (64, 48))
    return replace(network, pipeline=pipeline)


@pytest.fixture(scope='module')
def keypoint_network(tmp_path_factory):
    files = write_network(tmp_path_factory.mktemp('keypoint'), ('keypoint',))
    return open_network(*files, device='cpu')


def walking(count: int):
    """Somebody who goes from left to right."""
    frames, poses = stream(count)
    poses[:, SHOULDERS, :2] = ((30, 20), (18, 20))
    poses[..., 0] += np.arange(count)[:, None] / 2
    return frames, poses


def read_offline(network, frames, poses) -> tuple[dict, object]:
    prepared = network.pipeline.prepare(open_clip(frames), poses)
    log_probs, _ = network.log_probs([prepared])
    return {name: x[0] for name, x in log_probs.items()}, prepared['data_samples']


@pytest.mark.parametrize('count', [3, 22, 63])
@pytest.mark.parametrize('sees', ['keypoints', 'both'])
def test_live_as_offline_when_the_crop_follows_the_signer(
    network, keypoint_network, sees, count
):
    network = network if sees == 'both' else keypoint_network
    network = small_recipe(network, frames=sees == 'both')
    frames, poses = walking(count)
    expected, sample = read_offline(network, frames, poses)
    kept = max(4, count - count % 4)
    assert sample.length == kept + 8
    parts = stitched(WindowedNetwork(network, window=64, hop=16), frames, poses)
    for name, found in joined(parts).items():
        assert len(found) == kept // 4 + 2
        torch.testing.assert_close(found, expected[name], atol=0, rtol=0)
    held = 8 + kept - min(count, kept)
    assert [part.held for part in parts] == [0] * (len(parts) - 1) + [held]


def test_also_without_context_the_end_is_held(keypoint_network):
    network = small_recipe(keypoint_network, frames=False)
    windows = WindowedNetwork(network, window=32, hop=32)
    parts = stitched(windows, *walking(33))
    assert [(len(p.log_probs['average']), p.held) for p in parts] == [(8, 0), (2, 8)]
    # What ends with a window is read once, as a clip.
    parts = stitched(windows, *walking(32))
    assert [(len(p.log_probs['average']), p.held) for p in parts] == [(10, 8)]


def test_every_window_has_a_crop_of_its_own(keypoint_network, monkeypatch):
    network = small_recipe(keypoint_network, frames=False)
    boxes = []
    pack = network.pipeline.pack

    def note(results, is_end):
        boxes.append(results['crop_box'])
        return pack(results, is_end)

    monkeypatch.setattr(network.pipeline, 'pack', note)
    stitched(WindowedNetwork(network, window=32, hop=16), *walking(64))
    lefts = [box[0] for box in boxes]
    # Eight pixels further every 16 frames.
    assert np.diff(lefts).tolist() == [8, 8] + [0] * (len(boxes) - 3)


def test_large_frames_wait_at_a_smaller_size(network, monkeypatch):
    network = small_recipe(network)
    windows = WindowedNetwork(network, window=32, hop=16)
    frames, poses = walking(8)
    # A video that can be shrunk without loss: every pixel four times.
    large = np.repeat(np.repeat(frames, 2, 1), 2, 2)
    poses = poses.copy()
    poses[..., :2] = (poses[..., :2] + 0.5) * 2 - 0.5
    whole = joined(stitched(windows, large, poses))
    monkeypatch.setattr('mmsign.apis.windows.SHORT_SIDE', 48)
    for frame, pose in zip(large, poses):
        windows.step(of(frame, pose))
        assert windows._frames[-1]['frames'].shape == (48, 64, 3)
    for name, found in windows.end().log_probs.items():
        torch.testing.assert_close(found.exp(), whole[name].exp(), atol=0.1, rtol=0)


def test_nothing_ends_later_than_the_last_frame(network):
    """Also glosses that are found where the last frame is held."""
    network = small_recipe(network)
    found = []
    for count in (8, 24, 31, 50):
        windows = WindowedNetwork(network, window=64, hop=16)
        decoder = IncrementalCTC(
            CTCBeamSearch(1), network.model.vocab, 4, lambda n: (n, n + 1)
        )
        reader = StreamReader(windows, None, dict(average=decoder))
        frames, poses = walking(count)
        for frame, pose in zip(frames, poses):
            reader.step(of(frame, pose))
        glosses = reader.end()['average']
        found += glosses
        for gloss in glosses:
            assert 0 <= gloss.start < gloss.end <= count - count % 4
    assert found
