import numpy as np
import pytest

from mmsign.keypoints import (
    LEFT_RIGHT,
    PARTS,
    SELECTED_79,
    SKELETON,
    select_79,
)


def test_the_79_of_the_paper_in_their_order():
    assert SELECTED_79[:16] == tuple(range(23, 69, 3))
    assert SELECTED_79[16:58] == tuple(range(91, 133))
    assert SELECTED_79[58:68] == tuple(range(71, 90, 2))
    assert SELECTED_79[68:] == tuple(range(11))
    covered = [i for part in PARTS.values() for i in range(79)[part]]
    assert covered == list(range(79))


def test_pairs_and_edges_are_channels():
    for pairs in (LEFT_RIGHT, SKELETON):
        assert all(0 <= a < 79 and 0 <= b < 79 and a != b for a, b in pairs)
    sides = [channel for pair in LEFT_RIGHT for channel in pair]
    assert len(set(sides)) == len(sides)


def test_selection():
    points = np.arange(2 * 133 * 3).reshape(2, 133, 3)
    chosen = select_79(points, 'coco_wholebody_133')
    np.testing.assert_array_equal(chosen, points[:, list(SELECTED_79)])
    assert select_79(chosen, 'mmsign_79') is chosen
    with pytest.raises(ValueError, match='has 133 keypoints'):
        select_79(chosen, 'coco_wholebody_133')
    with pytest.raises(ValueError, match='unknown keypoint layout'):
        select_79(points, 'openpose')
