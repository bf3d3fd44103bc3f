from __future__ import annotations

import pytest
from tiny_signing import REST, signing, signing_statistics

from mmsign.apis.clip_statistics import ClipStatistics
from mmsign.apis.stream import StreamReader, count_utterances
from mmsign.apis.windows import StreamFrame, WindowSteps


class Recorder:
    """In place of the network and of a decoder: what it was shown, and from where."""

    stride = 4

    def __init__(self) -> None:
        self.read: list[tuple[int, list[int]]] = []
        self.frames: list[int] = []
        self.origin = 0

    @property
    def count(self) -> int:
        return len(self.frames)

    def begin(self, origin: int | None = None) -> None:
        if origin is None:
            self.frames = []
        else:
            self.origin = origin

    def step(self, frame) -> None:
        self.frames.append(frame.image)

    def end(self, *args, **kwargs):
        if self.frames:
            self.read.append((self.origin, self.frames))
        self.frames = []
        return None


def utterances(plan: str, own: ClipStatistics | None = None) -> list[tuple[int, list]]:
    """Origin and frames of each utterance."""
    recorder = Recorder()
    reader = StreamReader(recorder, own or signing_statistics(), dict(a=recorder))
    for index, pose in enumerate(signing(plan)):
        reader.step(StreamFrame(index, pose, (64, 48)))
    reader.end()
    return recorder.read


def test_an_utterance_has_two_resting_frames_at_either_end():
    # Frames 3 … 14; the rest before and after is not looked at.
    assert utterances('rrrrrmmmmmmmmrrrrrr') == [(3, list(range(3, 15)))]


def test_it_fills_whole_steps():
    ((origin, frames),) = utterances('rrmmmmmmmmmrrr')
    assert (origin, frames) == (0, [*range(13), 12, 12, 12])


def test_a_short_rest_belongs_to_both():
    own = ClipStatistics(4, 8, 40, REST.__class__(REST.wrists, REST.radius, 3))
    found = utterances('rrrmmmmmrrmmmmmmrrr', own)
    assert found == [(0, [*range(10), 9, 9]), (8, [*range(8, 19), 18])]


def test_one_resting_frame_ends_nothing():
    assert utterances('rrmmmrmmmrr') == [(0, [*range(11), 10])]


def test_the_end_of_the_stream_ends_it():
    assert utterances('mmmmmmm') == [(0, [*range(7), 6])]
    assert utterances('rrrmmmmr') == [(1, [*range(1, 8), 7])]
    assert utterances('rrrr') == []


def test_a_twitch_is_none():
    own = signing_statistics(shortest=12)
    assert utterances('rrrmrrrrmmmmmmrrrr', own) == [(6, [*range(6, 16), 15, 15])]


def test_nobody_ends_it_and_lost_wrists_do_not():
    found = utterances('mmmmwwmmmmnnnnnnmmmmrr')
    assert [origin for origin, _ in found] == [0, 14]
    assert found[0][1][:12] == list(range(12))


def test_without_a_rest_pose_there_is_one():
    own = ClipStatistics(4, 8, 40, None)
    assert utterances('rrrmmmrrrrmm', own) == [(0, list(range(12)))]


def test_without_keypoints_there_is_one():
    recorder = Recorder()
    reader = StreamReader(recorder, signing_statistics(), dict(a=recorder))
    for index in range(9):
        assert reader.step(StreamFrame(index, None, (64, 48))) is None
    reader.end()
    assert recorder.read == [(0, list(range(9)))]


class Speaker(Recorder):
    """It says what it was shown, one gloss for each frame, at every fourth."""

    def step(self, frame):
        if isinstance(frame, list):  # as decoder: of the steps
            return frame
        super().step(frame)
        if self.count % 4:
            return None
        return WindowSteps(dict(a=self.frames[-4:]), dict(a=['next']))

    def preview(self, steps):
        return steps

    def end(self, steps=None, held=0):
        if steps is not None:
            return steps
        super().end()
        return WindowSteps(dict(a=['last']), {})


def test_glosses_are_handed_on_as_they_become_final():
    speaker = Speaker()
    reader = StreamReader(speaker, signing_statistics(), dict(a=speaker))
    found = []
    for index, pose in enumerate(signing('rrrmmmmmrrr')):
        news = reader.step(StreamFrame(index, pose, (64, 48)))
        found.append((news and news['a'], reader.preview('a')))
    nothing, said = (None, []), ['next']
    assert found == [
        *[nothing] * 4,  # the utterance begins with frame 1
        ([1, 2, 3, 4], said),
        *[(None, said)] * 3,
        ([5, 6, 7, 8], said),
        # It ends with frame 9, which fills the step.
        ([9, 9, 9, 9, 'last'], []),
        nothing,
    ]
    assert reader.end() is None


@pytest.mark.parametrize(
    ('plan', 'count'),
    [('rrmmrmmrr', 1), ('mmrrmm', 2), ('rrr', 0), ('rrmrrmrrm', 3), ('mwwnnm', 2)],
)
def test_they_can_be_counted(plan, count):
    assert count_utterances(signing(plan), signing_statistics()) == count
