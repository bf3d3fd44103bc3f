import numpy as np
import pytest
from mmaction.models.utils.graph import Graph

from mmsign.errors import DataError
from mmsign.keypoints import (
    ARMS,
    GRAPH_LAYOUTS,
    HANDS,
    HEAD,
    LEFT_RIGHT,
    MIRRORED,
    NAMES,
    NOSE,
    PARTS,
    SELECTED_79,
    SHOULDERS,
    SKELETON,
    channels_of,
    graph_layout,
    misplaced,
    select_79,
    unusual_posture,
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


def test_other_points_of_the_face_in_the_same_places():
    points = np.arange(133.0)[:, None]
    ours, theirs = select_79(points), select_79(points, face='mska')
    for part in ('hands', 'upper_body'):
        np.testing.assert_array_equal(ours[PARTS[part]], theirs[PARTS[part]])
    assert len(np.unique(theirs)) == 79
    face, mouth = (theirs[PARTS[part], 0] for part in ('face', 'mouth'))
    assert {*face} <= {*range(23, 71)} and {*mouth} <= {*range(71, 91)}
    # Where points are in one's own hands they are the network's already.
    np.testing.assert_array_equal(select_79(ours, face='mska'), ours)
    with pytest.raises(DataError, match="mmsign_79.*face='mska'"):
        select_79(ours, 'mmsign_79', face='mska')


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


def test_names_say_which_point_it_is():
    assert len(set(NAMES)) == 79
    named = dict(zip(NAMES, SELECTED_79))
    # Indices of COCO-WholeBody; of iBUG's 68, point 30 is the tip of the nose.
    expected = dict(nose=0, left_shoulder=5, right_wrist=10, face_30=53, face_48=71)
    expected |= dict(left_hand_0=91, left_hand_20=111, right_hand_8=120)
    assert {name: named[name] for name in expected} == expected
    for left, right in LEFT_RIGHT:
        name = NAMES[left].replace('left', 'right')
        assert NAMES[right] == name or NAMES[left].startswith('face')


def test_keypoints_are_chosen_by_part_name_or_channel():
    assert channels_of('left_hand') == tuple(range(16, 37))
    assert channels_of(None) == channels_of(PARTS) == tuple(range(79))
    hands = tuple(range(16, 58))
    assert channels_of('hands') == channels_of(['hands', 'left_hand_3', 17]) == hands
    # The order in a config says nothing about channels.
    assert channels_of(['nose', 'hands']) == channels_of([68, 'hands']) == (*hands, 68)


@pytest.mark.parametrize('wrong', ['tail', [79], [-1], ['nose', 'hand'], [], [True]])
def test_what_cannot_be_chosen_is_named(wrong):
    with pytest.raises(ValueError, match='keypoints='):
        channels_of(wrong)


@pytest.mark.parametrize(
    'chosen',
    [
        ('hands', 'upper_body'),
        ('hands',),  # no nose
        ('left_hand_8', 'right_hand_8', 'left_elbow', 'mouth'),
        ('nose',),
    ],
)
def test_a_graph_of_chosen_keypoints(chosen):
    channels = channels_of(chosen)
    layout = graph_layout(channels)
    edges = {channels[a]: channels[b] for a, b in layout['inward']}
    root = channels[layout['center']]
    assert set(edges) == set(channels) - {root}  # a tree
    for child, parent in edges.items():
        node = PARENTS.get(child)
        while node is not None and node not in channels:
            node = PARENTS.get(node)
        assert parent == (root if node is None else node)
        while child != root:
            child = edges[child]
    adjacency = Graph(layout, mode='stgcn_spatial').A
    assert adjacency.shape[1:] == (len(channels),) * 2 and np.isfinite(adjacency).all()


def body(frames: int = 8) -> np.ndarray:
    """(frames, 79, 3) of somebody upright in a frame of 84×104 pixels."""
    points = np.random.default_rng(0).uniform(20, 64, (frames, 79, 3))
    points[:, [*SHOULDERS, NOSE], :2] = (60, 60), (24, 60), (42, 30)
    points[..., 2] = 0.9
    return points


def test_what_are_no_pixels():
    size = 84, 104
    assert misplaced(body(), size) == ''
    for shares in (body() / [84, 104, 1], body() / [42, 52, 1] - [1, 1, 0]):
        assert 'shares of it' in misplaced(shares, size)
    # A low score says nothing, and in a frame of few pixels nothing can be told.
    assert misplaced(body() * [1 / 84, 1 / 104, 0.1], size) == ''
    assert misplaced(body() / [42, 52, 1], (4, 4)) == ''


@pytest.mark.parametrize(
    'change, told',
    [
        (lambda p: p, ''),
        (lambda p: p[..., [1, 0, 2]], 'not above the shoulders'),
        (lambda p: p * [1, -1, 1] + [0, 104, 0], 'not above the shoulders'),
        (lambda p: p * [-1, 1, 1] + [84, 0, 0], 'mirrored'),
        (lambda p: (p * [-1, 1, 1] + [84, 0, 0])[:, MIRRORED], ''),
        (lambda p: p[:0], ''),
        (lambda p: p * [1, 1, 0], ''),
        (lambda p: np.ones_like(p), ''),
    ],
)
def test_a_posture_of_no_signer(change, told):
    found = unusual_posture(change(body()))
    assert told in found and bool(told) == bool(found)
