from __future__ import annotations

import numpy as np
import pytest

from mmsign.structures import TimedGloss
from mmsign.visualization import ClipPosteriors, ClipView, Timeline, draw_timeline
from mmsign.visualization.timeline import COLOURS
from mmsign.visualization.timeline_figure import (
    BAR,
    BETWEEN_ROWS,
    CURVES,
    DPI,
    GAP,
    HEAD,
    LANE,
    LEFT,
    LINE,
    ROOM,
    SIDE,
    TICKS,
    WIDTH,
)
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN'])
EDGES = np.arange(0, 28, 4.0)
FOOT = 2 * LINE
ONE_LANE = 0.06 + LANE + GAP


def picture(steps=None, span=(0, 24), **settings) -> np.ndarray:
    """Of a clip of 24 frames."""
    if steps is None:
        steps = np.tile(np.float32([1, 0, 0]), (6, 1))
    clip = ClipPosteriors(VOCAB, {'video': np.float32(steps)}, EDGES)
    settings = dict(posteriors=clip, longest=24) | settings
    return draw_timeline(Timeline('clip', span, **settings))


def said(*glosses: str) -> dict:
    return {'video': [TimedGloss(g, t, 4) for g, t in zip(glosses, (4, 16))]}


def inches(image: np.ndarray) -> float:
    return len(image) / DPI


def coloured(image: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels that have nearly a colour."""
    colour = [int(name[i : i + 2], 16) for i in (5, 3, 1)]
    return np.nonzero((abs(image.astype(int) - colour) < 24).all(-1))


def column(time: float) -> float:
    return DPI * (LEFT + ROOM * time / 24)


@pytest.mark.slow
def test_it_is_as_high_as_what_there_is_to_see():
    row = CURVES + ONE_LANE + TICKS
    image = picture()
    assert image.shape[1:] == (WIDTH * DPI, 3) and image.dtype == np.uint8
    assert inches(image) == pytest.approx(HEAD + row + FOOT, abs=0.011)
    view = ClipView(
        (0, 0, 4, 4), None, np.zeros((3, 79, 3)), lambda k: np.zeros((79, len(k), 4, 4))
    )
    for changes, more in (
        (dict(remarks=['a', 'b']), 2 * LINE),
        (dict(remarks=['word ' * 60]), 2 * LINE),  # of 170 letters a line
        (dict(reference=['RAIN']), BAR + ONE_LANE),
        (dict(view=view, times=[4, 12, 20]), 2 * SIDE),
        (dict(longest=12), row + BETWEEN_ROWS),
        (dict(posteriors=None, glosses=said('RAIN')), BAR - CURVES),
    ):
        found = inches(picture(**changes))
        assert found == pytest.approx(HEAD + row + FOOT + more, abs=0.011), changes


def test_endless_clips_end_with_a_remark(monkeypatch):
    monkeypatch.setattr('mmsign.visualization.timeline_figure.MOST_ROWS', 2)
    most, more = (picture(span=(0, 24 * rows)) for rows in (2, 5))
    assert inches(more) - inches(most) == pytest.approx(LINE, abs=0.011)


def test_frames_stand_over_their_time_below_the_head():
    frames = np.zeros((24, 4, 4, 3), np.uint8)
    frames[:12, ..., 2] = frames[12:, ..., 0] = 255
    view = ClipView((0, 0, 4, 4), frames)
    image = picture(view=view, times=np.arange(24) + 0.5)
    for colour, first, last in (('#ff0000', 0, 12), ('#0000ff', 12, 24)):
        rows, columns = coloured(image, colour)
        assert columns.min() == pytest.approx(column(first), abs=4)
        assert columns.max() == pytest.approx(column(last), abs=4)
        assert rows.min() == pytest.approx(HEAD * DPI, abs=2)
        assert rows.max() == pytest.approx((HEAD + SIDE) * DPI, abs=2)


def test_a_curve_is_as_high_as_the_probability_and_as_long_as_its_steps():
    steps = np.tile(np.float32([1, 0, 0]), (6, 1))
    steps[1:3], steps[4] = (0.5, 0.5, 0), (0, 0, 1)
    image = picture(steps, reference=['RAIN', 'SUN'])
    top = HEAD + BAR + ONE_LANE  # the reference, which has the same colours
    image, floor = image[int(top * DPI) :], (CURVES + ONE_LANE - GAP) * DPI
    for gloss, first, last, height in ((0, 4, 12, 0.5), (1, 16, 20, 1.0)):
        rows, columns = coloured(image, COLOURS[gloss])
        line = columns[rows == rows.min() + 1]
        assert line.min() == pytest.approx(column(first), abs=3)
        assert line.max() == pytest.approx(column(last), abs=3)
        assert rows.min() == pytest.approx(floor - CURVES * DPI * height, abs=3)


@pytest.mark.parametrize('curves', [True, False])
def test_a_span_is_shaded_in_its_glosss_colour(curves):
    settings = {} if curves else dict(posteriors=None)
    shaded = picture(glosses=said('RAIN', 'SUN'), **settings)
    empty = picture(glosses={'video': []}, **settings)
    assert empty.shape == shaded.shape
    # Above the zero line and below the foot's top, beside the stem of the label.
    foot = CURVES if curves else BAR
    row = int((HEAD + ONE_LANE - GAP + foot / 2) * DPI)
    for time, shows in ((2, False), (5, True), (10, False), (17, True), (22, False)):
        place = row, int(column(time))
        assert (empty[place] != shaded[place]).any() == shows


@pytest.mark.parametrize(('found', 'wrong'), [('RAIN', False), ('SUN', True)])
def test_wrong_glosses_are_dark(found, wrong):
    image = picture(reference=['RAIN'], glosses=said(found))
    dark = (image == (51, 51, 51)).all(-1).sum()
    assert dark > 300 if wrong else dark < 50


@pytest.mark.parametrize('glosses', [['$A_$', '$\\frac$'], ['MÄSSIG', '<b>'], []])
def test_any_gloss_can_be_drawn(glosses):
    found = {'video': [TimedGloss(gloss, 0, 0) for gloss in glosses]}
    image = picture(glosses=found, reference=glosses, posteriors=None, span=(0, 0))
    assert image.shape[1] == 1600


def test_names_that_would_overlap_stand_above_one_another():
    def height(step):
        glosses = {
            'video': [TimedGloss('WAHRSCHEINLICH', step * i, 2) for i in range(6)]
        }
        return inches(picture(posteriors=None, glosses=glosses))

    assert height(1) > height(4) + 1.9 * LANE
