from __future__ import annotations

import numpy as np
import pytest
from tiny_predictions import prediction

from mmsign.structures import GlossPrediction
from mmsign.visualization.labels import COLOURS
from mmsign.visualization.posterior_figure import (
    BAR,
    BETWEEN_ROWS,
    CURVES,
    GAP,
    LANE,
    LEFT,
    LINE,
    ROOM,
    SIDE,
    TICKS,
    WIDTH,
    render,
)
from mmsign.visualization.posterior_scene import Scene
from mmsign.visualization.posteriors import ClipPosteriors
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN'])
EDGES = np.arange(0, 28, 4.0)
# Inches above the first row and below the last.
HEAD, FOOT = 0.54, 2 * LINE
ONE_LANE = 0.06 + LANE + GAP
DPI = 100


def scene(steps=None, **changes) -> Scene:
    if steps is None:
        steps = np.tile(np.float32([1, 0, 0]), (6, 1))
    clip = ClipPosteriors(VOCAB, {'video': np.float32(steps)}, EDGES)
    return Scene(clip, **dict(rows=[(0, 24)], title='clip') | changes)


def said(*glosses: str, spans=((4, 8), (16, 20))) -> dict[str, GlossPrediction]:
    return {'video': prediction(glosses, spans[: len(glosses)])}


def inches(image: np.ndarray) -> float:
    return len(image) / DPI


def coloured(image: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels that have nearly a colour."""
    colour = [int(name[i : i + 2], 16) for i in (1, 3, 5)]
    return np.nonzero((abs(image.astype(int) - colour) < 24).all(-1))


def column(time: float) -> float:
    """Of 24 frames."""
    return DPI * (LEFT + ROOM * time / 24)


def test_it_is_as_high_as_what_there_is_to_see():
    one = HEAD + CURVES + ONE_LANE + TICKS + FOOT
    image = render(scene())
    assert image.shape[1:] == (WIDTH * DPI, 3) and image.dtype == np.uint8
    assert inches(image) == pytest.approx(one, abs=0.011)
    picture = (12.0, [np.zeros((4, 4, 3), np.uint8)] * 2)
    for changes, more in (
        (dict(remarks=['a', 'b']), 2 * LINE),
        (dict(remarks=['word ' * 60]), 2 * LINE),  # of 170 letters a line
        (dict(reference=['RAIN']), BAR + ONE_LANE),
        (dict(pictures=[picture]), 2 * SIDE),
        (dict(rows=[(0, 12), (12, 24)]), one - HEAD - FOOT + BETWEEN_ROWS),
    ):
        found = inches(render(scene(**changes)))
        assert found == pytest.approx(one + more, abs=0.011), changes


def test_a_finer_picture_is_the_same_picture():
    coarse, fine = render(scene(), 50), render(scene(), 100)
    assert fine.shape[1] == 2 * coarse.shape[1] == 1600
    assert abs(len(fine) - 2 * len(coarse)) <= 2


def test_endless_clips_end_with_a_remark(monkeypatch):
    monkeypatch.setattr('mmsign.visualization.posterior_figure.MOST_ROWS', 2)
    rows = [(8.0 * i, 8.0 * i + 8) for i in range(5)]
    most, more = (render(scene(rows=rows[:count])) for count in (2, 5))
    assert inches(more) - inches(most) == pytest.approx(LINE, abs=0.011)


def test_a_picture_stands_over_its_time_below_the_head():
    red, blue = (np.full((4, 4, 3), c, np.uint8) for c in ((255, 0, 0), (0, 0, 255)))
    image = render(scene(pictures=[(6.0, [red, blue]), (99.0, [red, red])]))
    for colour, top in (('#ff0000', HEAD), ('#0000ff', HEAD + SIDE)):
        rows, columns = coloured(image, colour)
        middle = (columns.min() + columns.max() + 1) / 2
        assert middle == pytest.approx(column(6), abs=1.5)
        assert columns.max() - columns.min() == pytest.approx(97 * SIDE, abs=3)
        assert rows.min() == pytest.approx(top * DPI, abs=2)
        assert rows.max() == pytest.approx((top + SIDE) * DPI, abs=2)


def test_a_curve_is_as_high_as_the_probability_and_as_long_as_its_steps():
    steps = np.tile(np.float32([1, 0, 0]), (6, 1))
    steps[1:3], steps[4] = (0.5, 0.5, 0), (0, 0, 1)
    image = render(scene(steps, reference=['RAIN', 'SUN']))
    top = HEAD + BAR + ONE_LANE  # the reference, which has the same colours
    image, floor = image[int(top * DPI) :], (CURVES + ONE_LANE - GAP) * DPI
    for gloss, first, last, height in ((0, 4, 12, 0.5), (1, 16, 20, 1.0)):
        rows, columns = coloured(image, COLOURS[gloss])
        line = columns[rows == rows.min() + 1]
        assert line.min() == pytest.approx(column(first), abs=3)
        assert line.max() == pytest.approx(column(last), abs=3)
        assert rows.min() == pytest.approx(floor - CURVES * DPI * height, abs=3)


def test_a_span_is_shaded_in_its_glosss_colour():
    plain, shaded = render(scene()), render(scene(predictions=said('RAIN', 'SUN')))
    assert plain.shape == shaded.shape
    # Above the blank's zero line and below its top, beside the stem of the label.
    row = int((HEAD + ONE_LANE - GAP + CURVES / 2) * DPI)
    for time, shows in ((2, False), (5, True), (10, False), (17, True), (22, False)):
        place = row, int(column(time))
        assert (plain[place] != shaded[place]).any() == shows


@pytest.mark.parametrize(('found', 'wrong'), [('RAIN', False), ('SUN', True)])
def test_wrong_glosses_are_dark(found, wrong):
    image = render(scene(reference=['RAIN'], predictions=said(found)))
    dark = (image == (51, 51, 51)).all(-1).sum()
    assert dark > 300 if wrong else dark < 50
