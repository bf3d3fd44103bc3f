from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from mmsign.decoding import StepClock


@pytest.mark.parametrize(
    ('frames', 'steps'), [(22, 22), (22, 11), (24, 6), (22, 9), (10, 3), (22, 44)]
)
def test_a_step_begins_and_ends_with_its_frames(frames, steps):
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, frames))
    clock = StepClock(times, times + 0.04, frames, steps)
    stride = Fraction(frames, steps)
    assert clock.valid_steps == steps
    for step in range(steps):
        # The frames that touch [step, step + 1) · stride.
        first, end = step * stride, (step + 1) * stride
        own = [n for n in range(frames) if n < end and n + 1 > first]
        assert clock.span(step, step + 1) == (times[own[0]], times[own[-1]] + 0.04)
        assert clock.edges()[step] == times[own[0]]
    assert clock.edges()[-1] == times[-1] + 0.04


def test_nothing_lasts_longer_than_the_clip():
    times = np.array([0.0, 0.1, 0.2])
    clock = StepClock(times, times + 0.1, 4, 2)
    assert clock.span(0, 2) == (0.0, pytest.approx(0.3))
    assert clock.span(1, 3) == (0.2, pytest.approx(0.3))
    assert StepClock(times[:1] + 0.5, times[:1] + 0.6, 4, 1).span(1, 2) == (0.5, 0.6)


def test_steps_lie_on_the_frames_that_were_taken():
    # 8 of 20 frames from frame 6 on, padded to 16: 4 steps, of which 2 are valid.
    clock = StepClock.of_frames(np.arange(6, 14), 16, 4)
    assert clock.edges().tolist() == [6, 10, 14] and clock.span(0, 1) == (6, 10)
    # Frames that were drawn unevenly, each step covering two of them.
    clock = StepClock.of_frames(np.array([0, 1, 5, 6, 6, 9]), 6, 3)
    assert clock.edges().tolist() == [0, 5, 6, 10] and clock.span(0, 1) == (0, 2)
    assert StepClock.of_frames(np.arange(3), 8, 2).edges().tolist() == [1]
