import random
from itertools import combinations

from mmsign.visualization.labels import COLOURS, LINES, Place, colours_of, pack


def test_labels_stand_where_they_belong_if_there_is_room():
    assert pack([1, 4], [1, 1], 10) == [Place(0, 0.5), Place(0, 3.5)]


def test_labels_too_close_go_up():
    assert pack([1, 1.5, 2.25], [1, 1, 1], 10, gap=0.125) == [
        Place(0, 0.5),
        Place(1, 1.0),
        Place(0, 1.75),
    ]


def test_labels_stay_inside():
    assert pack([0, 10], [2, 2], 10) == [Place(0, 0), Place(0, 8)]
    assert pack([5], [12], 10) == [Place(0, 0)]  # wider than the room


def test_no_two_labels_overlap():
    generator = random.Random(0)
    middles = [generator.uniform(0, 14) for _ in range(60)]
    widths = [generator.uniform(0.3, 1.5) for _ in range(60)]
    places = pack(middles, widths, 14, gap=0.05)
    boxes = [(p.lane, p.left, p.left + w) for p, w in zip(places, widths)]
    for (lane, a, b), (other, c, d) in combinations(boxes, 2):
        assert lane != other or b < c or d < a
    assert pack([], [], 14) == []


def test_each_gloss_keeps_its_colour_and_colours_never_repeat_with_the_same_line():
    glosses = ['A', 'B', 'A', *map(str, range(20))]
    styles = colours_of(glosses)
    assert styles['A'] == (COLOURS[0], '-') and styles['B'] == (COLOURS[1], '-')
    assert len(set(styles.values())) == len(styles) == 22 <= len(COLOURS) * len(LINES)
