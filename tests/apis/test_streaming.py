from __future__ import annotations

import numpy as np
import pytest
from tiny_network import keypoints_of, write_network

from mmsign.apis import ClipError, LiveRecognizer, open_network


@pytest.fixture(scope='module')
def network(network_files):
    return open_network(*network_files, device='cpu')


@pytest.fixture
def live(network):
    return LiveRecognizer(network, window=32, hop=16, cut_probability=0.3)


def stream(count: int):
    frames = np.random.default_rng(0).integers(0, 256, (count, 48, 64, 3), np.uint8)
    return frames, keypoints_of(count)


def test_a_short_stream_ends_as_the_clip_does(live, inferencer):
    frames, poses = stream(24)
    events = list(live.run(frames, poses))
    expected = inferencer(frames, poses)
    assert len(events) == 1 and expected.glosses
    live.decoder.cut_probability = 1.0
    (event,) = live.run(frames, poses)
    assert event.final == expected.glosses and event.partial == ()


def test_partial_glosses_become_final(live):
    frames, poses = stream(150)
    events = list(live.run(frames, poses))
    # The clock hands a frame on when the next has come.
    assert [round(e.seconds * 25) for e in events[:3]] == [32, 48, 64]
    final = [gloss for event in events for gloss in event.final]
    starts = [gloss.start for gloss in final]
    assert final and starts == sorted(starts)
    assert all(g.start < g.end <= 6.0 for g in final)
    assert any(event.partial for event in events) and not events[-1].partial
    assert all(event.compute > 0 for event in events)
    assert live.latency == pytest.approx((8 + 16) / 25)
    # And once more: nothing of the stream before is left.
    again = [gloss for event in live.run(frames, poses) for gloss in event.final]
    assert again == final


def test_twice_the_frame_rate_gives_the_same(live):
    frames, poses = stream(80)
    once = [g for e in live.run(frames, poses) for g in e.final]
    live.fps = 50.0
    twice = [
        g for e in live.run(frames.repeat(2, 0), poses.repeat(2, 0)) for g in e.final
    ]
    assert [g.gloss for g in twice] == [g.gloss for g in once]
    # Or with times.
    found = []
    for index in range(80):
        event = live.feed(frames[index], poses[index], seconds=10 + index / 25)
        found += event.final if event else ()
    assert found + list(live.finish().final) == once


def test_an_estimator_is_asked(network):
    frames, poses = stream(24)
    asked = iter(poses)
    recognizer = LiveRecognizer(
        network, 32, 16, estimator=lambda frames: [next(asked) for _ in frames]
    )
    (event,) = recognizer.run(frames)
    (expected,) = LiveRecognizer(network, 32, 16).run(frames, poses)
    assert event.final == expected.final


def test_a_network_of_keypoints_alone_needs_no_pictures(tmp_path):
    network = open_network(*write_network(tmp_path, ['keypoint']), device='cpu')
    recognizer = LiveRecognizer(network, 32, 16)
    frames, poses = stream(24)
    for pose in poses:
        recognizer.feed(None, pose, frame_size=(64, 48))
    (expected,) = LiveRecognizer(network, 32, 16).run(frames, poses)
    assert recognizer.finish().final == expected.final


def test_frames_that_do_not_fit(live):
    frames, poses = stream(1)
    for frame, pose, message in (
        (frames, poses[0], r'frame 0 of the stream: shape \(1, 48, 64, 3\)'),
        (None, poses[0], 'needs the frame'),
        (frames[0], None, 'looks at keypoints; feed them'),
        (frames[0], poses[0, :17], r'keypoints of shape \(1, 17, 3\)'),
    ):
        with pytest.raises(ClipError, match=message):
            live.feed(frame, pose)
