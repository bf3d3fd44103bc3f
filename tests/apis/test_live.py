from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_network import keypoints_of, random_frames, write_network
from tiny_signing import signing, signing_statistics

from mmsign.apis import LiveRecognizer, SignInferencer, open_network
from mmsign.apis.live import FrameResampler
from mmsign.datasets.io.frame_times import resample
from mmsign.errors import ClipError, ConfigError


@pytest.fixture(scope='module')
def network(network_files):
    return open_network(*network_files, device='cpu')


@pytest.fixture
def live(network):
    return LiveRecognizer(network, window=32, hop=16, cut_probability=0.3)


def stream(count: int):
    return random_frames(count), keypoints_of(count)


@pytest.mark.slow
def test_a_short_stream_ends_as_the_clip_does(live, inferencer):
    frames, poses = stream(24)
    events = list(live.run(frames, poses))
    expected = inferencer(frames, poses)
    assert len(events) == 2 and expected.glosses and not events[0].final
    live.cut_probability = 1.0
    live.finish()
    *_, event = live.run(frames, poses)
    assert event.final == expected.glosses and event.partial == ()


@pytest.mark.slow
def test_confidences_are_calibrated_as_those_of_the_clip(calibrated):
    frames, poses = stream(24)
    recognize = SignInferencer(*calibrated, device='cpu')
    live = LiveRecognizer(recognize.network, window=32, hop=16, cut_probability=1.0)
    *_, event = live.run(frames, poses)
    assert event.final == recognize(frames, poses).glosses
    assert max(g.confidence for g in event.final) < 0.25


@pytest.mark.slow
def test_partial_glosses_become_final(live):
    frames, poses = stream(150)
    events = list(live.run(frames, poses))
    # The clock hands a frame on when the next has come, and so does a full window.
    assert [round(e.seconds * 25) for e in events[:4]] == [16, 33, 49, 65]
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


@pytest.mark.slow
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
    *_, event = recognizer.run(frames)
    *_, expected = LiveRecognizer(network, 32, 16).run(frames, poses)
    assert event.final == expected.final


def test_a_network_of_keypoints_alone_needs_no_pictures(tmp_path):
    network = open_network(*write_network(tmp_path, ['keypoint']), device='cpu')
    recognizer = LiveRecognizer(network, 32, 16)
    frames, poses = stream(24)
    for pose in poses:
        recognizer.feed(None, pose, frame_size=(64, 48))
    *_, expected = LiveRecognizer(network, 32, 16).run(frames, poses)
    assert recognizer.finish().final == expected.final


def test_frames_that_do_not_fit(live):
    frames, poses = stream(1)
    for frame, pose, message in (
        (frames, poses[0], r'frame 0 of the stream: .*\(1, 1, 48, 64, 3\)'),
        (None, poses[0], 'needs the frame'),
        (frames[0], None, 'needs keypoints: feed them'),
        (frames[0], poses[0, :17], r'keypoints of shape \(1, 17, 3\)'),
    ):
        with pytest.raises(ClipError, match=message):
            live.feed(frame, pose)


# Pauses -------------------------------------------------------------------------


def test_keypoints_that_are_none_of_a_signer_are_warned_of_once(live, monkeypatch):
    log = []
    monkeypatch.setattr('mmsign.apis.live.warn', log.append)
    frames, poses = stream(70)
    [*live.run(frames, poses)]
    assert not log
    for odd, said in (
        (poses / [84, 104, 1], 'seem to be shares'),
        (poses[..., [1, 0, 2]], 'the head is not above'),
        (poses[:8] / [84, 104, 1], 'seem to be shares'),
    ):
        [*live.run(frames[: len(odd)], odd)]
        (text,) = log
        assert said in text
        log.clear()


def test_fewer_keypoints_than_frames(live):
    frames, poses = stream(4)
    with pytest.raises(ClipError, match='frame 3 of the stream has no keypoints'):
        [*live.run(frames, poses[:3])]


@pytest.fixture
def paused(network):
    """A recognizer of a network whose training clips began and ended at rest."""
    corpus = network.spec.corpus | dict(signing=signing_statistics(40).to_dict())
    return LiveRecognizer(replace(network, spec=replace(network.spec, corpus=corpus)))


@pytest.mark.slow
def test_utterances_are_read_as_clips(paused, inferencer):
    plan = 'r' * 9 + 'm' * 20 + 'r' * 40 + 'm' * 27 + 'rrr' + 'm' * 12 + 'r' * 6
    frames, _ = stream(len(plan))
    poses = signing(plan)
    events = list(paused.run(frames, poses))
    final = [gloss for event in events for gloss in event.final]
    expected, until = [], 0.0
    # With two resting frames at the ends; the last fills the step.
    for start, end in ((7, 31), (67, 98), (97, 113)):
        chosen = np.arange(start, start + (end - start + 3) // 4 * 4).clip(max=end - 1)
        for gloss in inferencer(frames[chosen], poses[chosen]).glosses:
            # A step is four frames; what the pauses' frames share is put in order.
            begin = max(gloss.start + start / 25, until)
            expected.append((gloss.gloss, gloss.confidence, begin))
            until = max(gloss.end + start / 25, begin + 4 / 25)
    assert [(g.gloss, g.confidence) for g in final] == [e[:2] for e in expected]
    assert [g.start for g in final] == pytest.approx([e[2] for e in expected])
    assert expected
    # Something to show on the way, and nothing between the utterances.
    assert any(event.partial for event in events)
    assert paused.windows.window == 48 and paused.latency == pytest.approx(48 / 25)
    again = [gloss for event in paused.run(frames, poses) for gloss in event.final]
    assert again == final


def test_at_rest_nothing_is_computed(paused, monkeypatch):
    monkeypatch.setattr(paused.windows, '_run', None)
    frames, _ = stream(60)
    (event,) = paused.run(frames, signing('r' * 60))
    assert (event.final, event.partial) == ((), ())
    assert paused.windows.count == 0


def test_a_long_utterance_is_read_in_windows(paused):
    plan = 'rr' + 'm' * 150 + 'rrrr'
    frames, _ = stream(len(plan))
    held, final = [], []
    for frame, pose in zip(frames, signing(plan)):
        event = paused.feed(frame, pose)
        held.append(len(paused.windows._frames))
        final += event.final if event else ()
    assert max(held) <= 48 + 16 and final[0].start < final[-1].start
    final += paused.finish().final
    assert final[-1].end <= len(plan) / 25


@pytest.mark.slow
def test_pauses_may_be_passed_over(paused):
    frames, _ = stream(100)
    poses = signing('rr' + 'm' * 40 + 'r' * 16 + 'm' * 40 + 'rr')
    plain = LiveRecognizer(paused.network, 48, 16, pauses=False)
    found = [e.final for e in plain.run(frames, poses)]
    bare = replace(paused.network, spec=replace(paused.network.spec, corpus={}))
    assert found == [e.final for e in LiveRecognizer(bare, 48, 16).run(frames, poses)]
    assert plain.latency == pytest.approx((16 + 16) / 25)


@pytest.mark.slow
def test_keypoints_tell_the_pauses_to_a_network_of_video_alone(tmp_path):
    network = open_network(*write_network(tmp_path, ['video']), device='cpu')
    corpus = network.spec.corpus | dict(signing=signing_statistics(40).to_dict())
    network = replace(network, spec=replace(network.spec, corpus=corpus))
    frames, _ = stream(60)
    recognizer = LiveRecognizer(network)
    with_pauses = list(recognizer.run(frames, signing('r' * 20 + 'm' * 20 + 'r' * 20)))
    assert network.pipeline.needs_keypoints is False
    expected = SignInferencer(*write_network(tmp_path, ['video']), device='cpu')
    own = expected(frames[18:42])
    final = [gloss.gloss for event in with_pauses for gloss in event.final]
    assert final == list(own.gloss_sequence)
    # And without, there is one utterance.
    without = [g.gloss for e in recognizer.run(frames[:40]) for g in e.final]
    assert without == list(expected(frames[:40]).gloss_sequence)


# The rate of training -----------------------------------------------------------


def resampled(times, rate) -> list[int]:
    resampler = FrameResampler(rate)
    found = []
    for index, time in enumerate(times):
        found += resampler.step(float(time), index)
    return found + list(resampler.end())


@pytest.mark.parametrize('fps', [8.0, 23.976, 29.97, 50.0])
def test_one_by_one_as_all_at_once(fps):
    times = np.arange(57) / fps
    assert resampled(times, 25.0) == resample(times, 25.0)[0].tolist()


def test_uneven_times():
    gaps = np.random.default_rng(0).uniform(0.01, 0.1, 80)
    gaps[-1] = np.median(gaps)  # how long the last frame is shown
    times = np.cumsum(gaps)
    found = resampled(times, 25.0)
    expected = resample(times, 25.0)[0].tolist()
    assert found[: len(expected) - 1] == expected[:-1]
    assert abs(len(found) - len(expected)) <= 1


@pytest.mark.parametrize('fps', [20.0, 50.0])
def test_a_pause_makes_no_frames(fps):
    times = 7 + np.arange(40) / fps
    times[16:] += 3600
    assert resampled(times, 25.0) == resample(times, 25.0)[0].tolist()
    resampler = FrameResampler(25.0)
    count = sum(len(list(resampler.step(float(time), time))) for time in times)
    starts, ends = resampler.seconds(np.arange(count))
    np.testing.assert_allclose(starts, resample(times, 25.0)[1][:count] - 7)
    np.testing.assert_allclose(ends - starts, 0.04)


def test_the_right_rate_is_left_alone():
    assert resampled(np.arange(40) / 25, 25.0) == list(range(40))
    assert resampled([3.0], 25.0) == [0]
    assert resampled([], 25.0) == []


def test_times_must_rise():
    resampler = FrameResampler(25.0)
    list(resampler.step(1.0, 'a'))
    with pytest.raises(ConfigError, match='must rise'):
        list(resampler.step(1.0, 'b'))
    with pytest.raises(ConfigError, match='rate'):
        FrameResampler(0.0)


@pytest.mark.slow
def test_every_so_many_th_frame_is_as_a_lower_rate(network):
    frames, poses = stream(120)

    def read(**corpus) -> list:
        spec = replace(network.spec, corpus=network.spec.corpus | corpus)
        live = LiveRecognizer(replace(network, spec=spec), 32, 16, fps=25.0)
        return [g for event in live.run(frames, poses) for g in event.final]

    found = read(step=2)
    assert found and found == read(fps=12.5)
    assert found != read()
