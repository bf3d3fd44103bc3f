"""mmsign.datasets.io.frame_times: repaired times and other rates."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmsign.datasets.io.frame_times import (
    checked_fps,
    frame_duration,
    is_steady,
    repair_times,
    resample,
)
from mmsign.errors import ConfigError

QUICK = settings(max_examples=200, derandomize=True)
NAN = float('nan')
TIMES = st.lists(st.floats(), max_size=30)
STEPS = st.lists(st.floats(0.002, 0.5), min_size=1, max_size=60)


def rises(times: np.ndarray) -> bool:
    return bool(np.isfinite(times).all() and np.all(np.diff(times) > 0))


@QUICK
@given(TIMES, st.floats())
@example([0.0, 5e-324, 0.0], 1000.0)
@example([1e308, -1e308, 1e308], -1.0)
def test_repaired_times_rise(times, nominal):
    found, _ = repair_times(np.array(times), nominal)
    assert len(found) == len(times) and rises(found)


@QUICK
@given(STEPS, st.floats(-10, 1e6))
def test_sound_times_stay_as_they_are(steps, start):
    times = start + np.cumsum(steps)
    found, notices = repair_times(times, 1000.0)
    np.testing.assert_array_equal(found, times)
    assert not notices


@QUICK
@given(
    st.integers(10, 60),
    st.sets(st.integers(0, 19)),
    st.sampled_from([NAN, 0.0, -1.0, 1e300, float('inf'), 'repeated']),
)
def test_a_few_bad_times_are_replaced_and_no_other(count, places, bad):
    sound = 5 + np.arange(count) / 30
    times = sound.copy()
    places = [3 * p + 1 for p in places if 3 * p + 1 < count]
    for k in places:
        times[k] = times[k - 1] if bad == 'repeated' else bad
    found, notices = repair_times(times)
    np.testing.assert_allclose(found, sound)
    others = np.setdiff1d(np.arange(count), places)
    np.testing.assert_array_equal(found[others], sound[others])
    assert len(notices) == bool(places)
    if places:
        assert f'{len(places)} of {count} frames' in notices[0]


@pytest.mark.parametrize(
    ('times', 'expected'),
    [
        ([0, 0.04, 0.08, 0.08, 0.16], [0, 0.04, 0.08, 0.12, 0.16]),
        ([0, 0, 0, 0.12, 0.16], [0, 0.04, 0.08, 0.12, 0.16]),
        ([0, 0.04, 0.08, 0, 0], [0, 0.04, 0.08, 0.12, 0.16]),
        ([NAN, NAN, 0.08, 0.12], [0, 0.04, 0.08, 0.12]),
        ([0, 0.04, 9.0, 0.12, 0.16], [0, 0.04, 0.08, 0.12, 0.16]),
        ([0, 0.04, 0.03, 0.12], [0, 0.04, 0.08, 0.12]),
        # Written in whole seconds.
        ([0, 0, 0, 0, 1, 1, 1, 1, 2], np.arange(9) / 4),
        ([], []),
        ([3.0], [3.0]),
    ],
)
def test_repairs(times, expected):
    np.testing.assert_allclose(repair_times(np.array(times))[0], expected, atol=1e-9)


@pytest.mark.parametrize(
    ('nominal', 'rate'), [(30.0, 30), (1000.0, 25), (0.0, 25), (NAN, 25), (1e-9, 25)]
)
def test_without_any_times_a_nominal_rate_is_taken_if_it_can_be_one(nominal, rate):
    for times in (np.zeros(10), np.full(10, NAN)):
        found, notices = repair_times(times, nominal)
        np.testing.assert_allclose(found, np.arange(10) / rate, atol=1e-9)
        assert len(notices) == 1 and f'{rate:g} frames/s' in notices[0]


def test_a_nominal_rate_is_not_trusted_over_times():
    times = np.arange(50) / 25
    times[20] = times[19]
    found, _ = repair_times(times, 1000.0)
    np.testing.assert_allclose(found, np.arange(50) / 25)


@pytest.mark.parametrize('first', [10, 100])
def test_a_clock_that_starts_anew_goes_on(first):
    times = np.concatenate([np.arange(first), np.arange(40)]) / 25
    found, notices = repair_times(times)
    np.testing.assert_allclose(found, np.arange(first + 40) / 25)
    assert len(notices) == 1 and f'frame {first}' in notices[0]


@pytest.mark.parametrize('gap', [10.0, 3600.0])
@pytest.mark.parametrize('fps', [25.0, 50.0])
def test_a_paused_recorder_is_a_cut(gap, fps):
    times = np.arange(200) / fps
    times[80:] += gap
    found, notices = repair_times(times)
    np.testing.assert_array_equal(found, times)
    assert len(notices) == 1 and f'{gap:g}' in notices[0] and 'frame 80' in notices[0]
    assert is_steady(found)
    chosen = resample(found, 25.0)
    if fps == 25:
        assert chosen is None
    else:
        indices, ticks = chosen
        assert indices.tolist() == list(range(0, 200, 2))
        np.testing.assert_allclose(ticks, times[::2])


@pytest.mark.parametrize('rate', [25.0, 25.2, 24.8])
def test_the_same_rate_is_left_alone(rate):
    assert resample(np.arange(50) / 25, rate) is None


@pytest.mark.parametrize(
    ('times', 'rate', 'indices'),
    [
        (np.arange(20) / 50, 25.0, range(0, 20, 2)),
        # Ticks halfway between two frames take the earlier; the clip lasts 4/10 s.
        (np.arange(4) / 10, 20.0, [0, 0, 1, 1, 2, 2, 3, 3]),
        ([0.0, 0.04, 0.08, 0.24, 0.28, 0.32], 25.0, [0, 1, 2, 2, 2, 3, 3, 4, 5]),
    ],
)
def test_another_rate(times, rate, indices):
    found, ticks = resample(np.array(times), rate)
    assert found.tolist() == list(indices)
    np.testing.assert_allclose(ticks, np.arange(len(found)) / rate)


def test_one_frame_has_no_rate():
    assert frame_duration(np.zeros(1)) == 0 and resample(np.zeros(1), 25.0) is None


@QUICK
@given(STEPS, st.floats(5, 60))
def test_resampled_frames_are_the_nearest_and_the_duration_is_kept(steps, rate):
    times = np.cumsum([0, *steps])
    chosen = resample(times, rate)
    if chosen is None:
        return
    indices, ticks = chosen
    duration = times[-1] + frame_duration(times)
    assert abs(len(indices) / rate - duration) <= max(0.5, 1) / rate + 1e-9
    distance = np.abs(times[:, None] - ticks)
    np.testing.assert_allclose(
        np.abs(times[indices] - ticks), distance.min(0), atol=1e-9
    )
    assert np.all(np.diff(indices) >= 0)


@pytest.mark.parametrize('fps', [float('inf'), NAN, 0, -25, 1e-9, 1e6])
def test_rates_that_are_none(fps):
    with pytest.raises(ConfigError, match='fps'):
        checked_fps(fps)
