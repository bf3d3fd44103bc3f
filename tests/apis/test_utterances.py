from __future__ import annotations

import pytest
from tiny_signing import REST, habits, signing

from mmsign.apis.clip_statistics import ClipStatistics
from mmsign.apis.utterances import Piece, UtteranceReader, count_utterances
from mmsign.apis.windows import Stitched


class Recorder:
    """In place of a ``WindowedNetwork``: speaks at the end, of what it was shown."""

    stride = 4

    def __init__(self) -> None:
        self.read: list[list[int]] = []
        self.restart()

    def restart(self) -> None:
        self.frames: list[int] = []

    @property
    def count(self) -> int:
        return len(self.frames)

    def push(self, frame, keypoints, frame_size=None):
        self.frames.append(frame)
        return None

    def finish(self):
        if not self.frames:
            return None
        self.read.append(self.frames)
        self.restart()
        return Stitched({}, {})


def utterances(plan: str, own: ClipStatistics | None = None) -> list[tuple[int, list]]:
    """Origin and frames of each utterance."""
    windows = Recorder()
    reader = UtteranceReader(windows, own or habits())
    for _ in range(2):  # and it may be used again
        windows.read.clear()
        pieces: list[Piece] = []
        for index, pose in enumerate(signing(plan)):
            pieces += reader.push(index, pose, (64, 48))
        pieces += reader.finish()
    assert all(piece.is_last for piece in pieces)
    return [(p.origin, frames) for p, frames in zip(pieces, windows.read, strict=True)]


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
    own = habits(shortest=12)
    assert utterances('rrrmrrrrmmmmmmrrrr', own) == [(6, [*range(6, 16), 15, 15])]


def test_nobody_ends_it_and_lost_wrists_do_not():
    found = utterances('mmmmwwmmmmnnnnnnmmmmrr')
    assert [origin for origin, _ in found] == [0, 14]
    assert found[0][1][:12] == list(range(12))


def test_without_a_rest_pose_there_is_one():
    own = ClipStatistics(4, 8, 40, None)
    assert utterances('rrrmmmrrrrmm', own) == [(0, list(range(12)))]


def test_without_keypoints_there_is_one():
    windows = Recorder()
    reader = UtteranceReader(windows, habits())
    for index in range(9):
        assert reader.push(index, None, (64, 48)) == []
    (piece,) = reader.finish()
    assert piece.is_last and windows.read == [list(range(9))]


@pytest.mark.parametrize(
    ('plan', 'count'),
    [('rrmmrmmrr', 1), ('mmrrmm', 2), ('rrr', 0), ('rrmrrmrrm', 3), ('mwwnnm', 2)],
)
def test_they_can_be_counted(plan, count):
    assert count_utterances(signing(plan), habits()) == count
