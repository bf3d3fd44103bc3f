from mmaction.models.utils.graph import Graph

from mmsign.keypoint_graph import MMSIGN_79
from mmsign.keypoints import LEFT_RIGHT, PARTS, SKELETON


def parents() -> dict[int, int]:
    edges = MMSIGN_79['inward']
    found = dict(edges)
    assert len(found) == len(edges) == 78  # one parent each
    return found


def test_a_tree_towards_the_nose():
    tree = parents()
    root = MMSIGN_79['center']
    assert root == PARTS['upper_body'].start and root not in tree
    for node in range(79):
        seen = {node}
        while node != root:
            node = tree[node]
            assert node not in seen
            seen.add(node)


def test_left_mirrors_right():
    tree = parents()
    other = {**dict(LEFT_RIGHT), **{b: a for a, b in LEFT_RIGHT}}
    for child, parent in tree.items():
        if child in other:
            assert tree[other[child]] == other.get(parent, parent), (child, parent)


def test_limbs_are_those_of_the_skeleton():
    bones = {frozenset(bone) for bone in SKELETON}
    hands = range(PARTS['hands'].start, PARTS['hands'].stop)
    for child, parent in parents().items():
        if child in hands:
            assert frozenset((child, parent)) in bones


def test_mmaction2_builds_it():
    assert Graph(MMSIGN_79, mode='spatial').A.shape == (3, 79, 79)
