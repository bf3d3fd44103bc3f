import numpy as np
import pytest
from mmaction.models.utils.graph import Graph

from mmsign.keypoints import (
    ARMS,
    GRAPH_LAYOUTS,
    HANDS,
    HEAD,
    LEFT_RIGHT,
    MIRRORED,
    NOSE,
    PARTS,
    SELECTED_79,
    SHOULDERS,
    SKELETON,
    select_79,
)

GRAPH = GRAPH_LAYOUTS['mmsign_79']
PARENTS = dict(GRAPH['inward'])


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
    np.testing.assert_array_equal(select_79(points), chosen)
    assert select_79(chosen, 'mmsign_79') is select_79(chosen) is chosen
    with pytest.raises(ValueError, match='17'):
        select_79(points[:, :17])
    for layout in ('coco_wholebody_133', 'openpose'):
        with pytest.raises(ValueError, match=layout):
            select_79(chosen, layout)


def test_the_graph_is_a_tree_towards_the_nose():
    root = GRAPH['center']
    assert root == PARTS['upper_body'].start and root not in PARENTS
    assert len(PARENTS) == len(GRAPH['inward']) == 78  # one parent each
    for node in range(79):
        seen = {node}
        while node != root:
            node = PARENTS[node]
            assert node not in seen
            seen.add(node)
    assert Graph(GRAPH, mode='spatial').A.shape == (3, 79, 79)


def test_left_and_right_of_the_graph_mirror_each_other():
    other = {**dict(LEFT_RIGHT), **{b: a for a, b in LEFT_RIGHT}}
    for child, parent in PARENTS.items():
        if child in other:
            assert PARENTS[other[child]] == other.get(parent, parent), (child, parent)


def test_a_mirror():
    assert (MIRRORED[MIRRORED] == np.arange(79)).all()
    for left, right in LEFT_RIGHT:
        assert (MIRRORED[left], MIRRORED[right]) == (right, left)
    for part in PARTS.values():
        assert {*MIRRORED[part]} == {*range(79)[part]}
    left, right = ARMS
    for a, b in zip(left[:3], right[:3]):
        assert MIRRORED[a] == b
    np.testing.assert_array_equal(MIRRORED[left[3]], np.arange(79)[right[3]])


def test_parts_of_a_signer():
    named = dict(zip(SELECTED_79, range(79)))  # COCO's numbers
    assert (*SHOULDERS, NOSE) == (named[5], named[6], named[0])
    assert [arm[:3] for arm in ARMS] == [
        tuple(named[i + side] for i in (5, 7, 9)) for side in (0, 1)
    ]
    assert [hand.start for hand in HANDS] == [named[91], named[112]]
    assert {*range(79)} - {*HEAD} == {
        *range(79)[PARTS['hands']],
        *(named[i] for i in range(5, 11)),
    }


def test_limbs_of_the_graph_are_those_of_the_skeleton():
    bones = {frozenset(bone) for bone in SKELETON}
    for child in range(79)[PARTS['hands']]:
        assert frozenset((child, PARENTS[child])) in bones
