import numpy as np
import pytest

from mmsign.datasets.transforms import (
    ClipErase,
    ClipFlip,
    ClipWarp,
    DropPoints,
    VaryBody,
)
from mmsign.errors import ConfigError
from mmsign.keypoints import ARMS, HANDS, HEAD, LEFT_RIGHT, NOSE, SHOULDERS
from mmsign.visualization.clip_view import crop_coordinates

BOX = (40.0, 20.0, 200.0, 200.0)
SIDE = 100
STILL = dict(mirror=0, degrees=0, scale=0, aspect=0, shear=0, shift=0, tilt=0)
LEFT = [left for left, _ in LEFT_RIGHT]
RIGHT = [right for _, right in LEFT_RIGHT]


def keypoints(frames: int = 4, seed: int = 0) -> np.ndarray:
    """(T, 79, 3) well inside of the box."""
    rng = np.random.default_rng(seed)
    points = np.ones((frames, 79, 3), np.float32)
    points[..., :2] = rng.uniform((90, 70), (190, 170), (frames, 79, 2))
    return points


def changed(transform, points: np.ndarray, seed: int = 0, **more) -> np.ndarray:
    np.random.seed(seed)
    before = points.copy()
    found = transform(dict(keypoints=points, crop_box=BOX, **more))['keypoints']
    # What was given may be shared with others.
    np.testing.assert_array_equal(points, before)
    assert found.dtype == np.float32
    return found


def blobs(places: np.ndarray) -> np.ndarray:
    """A frame (1, S, S, 3) per place (n, 2) with a soft spot at it."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    apart = (columns - places[:, 0, None, None]) ** 2
    apart = apart + (rows - places[:, 1, None, None]) ** 2
    spots = 255 * np.exp(-apart / (2 * 3.0**2))
    return np.repeat(spots.round().astype(np.uint8)[..., None], 3, -1)


def centres(frames: np.ndarray) -> np.ndarray:
    images = frames[..., 0].astype(float)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    total = images.sum((1, 2))
    sums = [(grid * images).sum((1, 2)) for grid in (columns, rows)]
    return np.stack(sums, -1) / total[:, None]


# Warping ------------------------------------------------------------------------------


@pytest.mark.parametrize('seed', range(6))
def test_frames_and_keypoints_move_together(seed):
    points = keypoints(5, seed)
    frames = blobs(crop_coordinates(points, BOX, SIDE)[:, NOSE])
    warp = ClipWarp(mirror=0.5, degrees=20)
    np.random.seed(seed)
    results = warp(dict(keypoints=points, crop_box=BOX, frames=frames))
    expected = crop_coordinates(results['keypoints'], BOX, SIDE)[:, NOSE]
    np.testing.assert_allclose(centres(results['frames']), expected, atol=0.3)
    # All frames and points were moved.
    assert np.abs(results['keypoints'] - points)[..., :2].max() > 2


def test_a_flip_is_exact_and_its_own_inverse():
    points = keypoints(3)
    frames = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    given = dict(keypoints=points, crop_box=BOX, frames=frames)
    once = ClipFlip(prob=1.0)(dict(given))
    np.testing.assert_array_equal(once['frames'], frames[:, :, ::-1])
    x = 2 * BOX[0] + BOX[2] - 1 - points[:, RIGHT, 0]
    np.testing.assert_allclose(once['keypoints'][:, LEFT, 0], x, rtol=1e-6)
    twice = ClipFlip(prob=1.0)(dict(once))
    np.testing.assert_array_equal(twice['frames'], frames)
    np.testing.assert_allclose(twice['keypoints'], points, rtol=1e-5)
    left_alone = ClipFlip(prob=0.0)(dict(given))
    np.testing.assert_array_equal(left_alone['frames'], frames)
    np.testing.assert_allclose(left_alone['keypoints'], points, rtol=1e-5)


def test_frames_and_keypoints_are_flipped_by_one_decision():
    flipped = set()
    for seed in range(12):
        points, frames = keypoints(2), np.arange(2 * 4 * 4 * 3, dtype=np.uint8)
        given = dict(keypoints=points, crop_box=BOX, frames=frames.reshape(2, 4, 4, 3))
        np.random.seed(seed)
        found = ClipFlip()(dict(given))
        both = [not np.allclose(found[k], given[k]) for k in ('keypoints', 'frames')]
        assert len({*both}) == 1
        flipped.add(both[0])
    assert flipped == {True, False}


def test_one_decision_per_clip():
    points = np.repeat(keypoints(1), 3, axis=0)
    found = changed(ClipWarp(), points)
    np.testing.assert_array_equal(found, np.repeat(found[:1], 3, axis=0))


def test_mirrored_twice_is_as_before_and_left_is_right():
    points = keypoints()
    points[:, 5, 2] = 0.4
    mirror = ClipWarp(**(STILL | dict(mirror=1)))
    once = changed(mirror, points)
    np.testing.assert_allclose(changed(mirror, once), points, atol=1e-4)
    # About the middle of the box, whose pixels are 40 to 239.
    np.testing.assert_allclose(once[:, LEFT, 0], 279 - points[:, RIGHT, 0], atol=1e-4)
    np.testing.assert_allclose(once[:, LEFT, 1], points[:, RIGHT, 1], atol=1e-4)
    np.testing.assert_allclose(once[:, NOSE, 0], 279 - points[:, NOSE, 0], atol=1e-4)
    frames = np.random.default_rng(0).integers(0, 256, (2, 9, 9, 3), np.uint8)
    found = mirror(dict(frames=frames))['frames']
    np.testing.assert_array_equal(found, frames[:, :, ::-1])


def test_without_changes_nothing_changes():
    points = keypoints()
    np.testing.assert_allclose(changed(ClipWarp(**STILL), points), points, atol=1e-4)


@pytest.mark.parametrize('name', [name for name in STILL if name != 'mirror'])
def test_every_change_can_be_alone_and_grows(name):
    points, largest = keypoints(), dict.fromkeys(STILL, 0.3) | dict(degrees=20)

    def moved(share: float) -> float:
        warp = ClipWarp(**(STILL | {name: share * largest[name]}))
        found = [changed(warp, points, seed) - points for seed in range(8)]
        return float(np.abs(found).max())

    assert moved(1) > 1.5 * moved(0.5) > 1


def test_a_turn_of_points_without_a_mirror_image():
    points = keypoints()
    with pytest.raises(ConfigError, match='ClipWarp.*mska.*do not mirror'):
        changed(ClipWarp(**STILL | dict(mirror=0.5)), points, face='mska')
    turn = ClipWarp(**STILL | dict(degrees=15))
    middle = np.array([BOX[0], BOX[1]]) + np.array(BOX[2:]) / 2 - 0.5
    found = changed(turn, points, face='mska') - np.append(middle, 0)
    before = points - np.append(middle, 0)
    lengths = [np.linalg.norm(x[..., :2], axis=-1) for x in (found, before)]
    np.testing.assert_allclose(*lengths, rtol=1e-4)
    assert np.abs(found - before).max() > 1


def test_probability_of_left_handers():
    warp = ClipWarp(**(STILL | dict(mirror=0.3)))
    points = keypoints(1)
    found = [changed(warp, points, seed) for seed in range(200)]
    share = np.mean([np.abs(one - points).max() > 1 for one in found])
    assert 0.2 < share < 0.4


def test_missing_points_stay():
    points = keypoints()
    points[1, HANDS[0]] = -640, -480, 0
    found = changed(ClipWarp(mirror=0), points)
    np.testing.assert_array_equal(found[1, HANDS[0]], points[1, HANDS[0]])
    found = changed(ClipWarp(mirror=1), points)
    np.testing.assert_array_equal(found[1, HANDS[1]], points[1, HANDS[0]])


def test_either_alone():
    points, frames = keypoints(), blobs(np.array([[30, 40], [50, 50]]))
    both = dict(keypoints=points, frames=frames)
    found = {}
    for keys in (('keypoints', 'frames'), ('keypoints',), ('frames',)):
        np.random.seed(3)
        given = {key: both[key] for key in keys}
        results = ClipWarp()(dict(frames='folder', crop_box=BOX) | given)
        for key in keys:
            np.testing.assert_array_equal(
                found.setdefault(key, results[key]), results[key]
            )
        assert set(results) == {'frames', 'crop_box', *keys}


@pytest.mark.parametrize(
    'wrong',
    [
        dict(mirror=1.5),
        dict(degrees=-1),
        dict(scale=1),
        dict(aspect=-0.1),
        dict(shear=float('nan')),
        dict(shift=-1),
        dict(tilt=0.6),
    ],
)
def test_impossible_warps(wrong):
    with pytest.raises(ConfigError, match=f'ClipWarp.*{next(iter(wrong))}'):
        ClipWarp(**wrong)


# Bodies -------------------------------------------------------------------------------


def lengths(points: np.ndarray, a: int, b: int) -> np.ndarray:
    return np.linalg.norm(points[:, a, :2] - points[:, b, :2], axis=-1)


def ways(points: np.ndarray, a: int, b: int) -> np.ndarray:
    """Unit vectors."""
    way = points[:, b, :2] - points[:, a, :2]
    return way / np.linalg.norm(way, axis=-1, keepdims=True)


@pytest.mark.parametrize('seed', range(3))
def test_another_body_signs_the_same(seed):
    points = keypoints(6)
    found = changed(VaryBody(limbs=0.3, hands=0.3), points, seed)
    upper, lower = [], []
    for shoulder, elbow, wrist, hand in ARMS:
        for a, b, ratios in ((shoulder, elbow, upper), (elbow, wrist, lower)):
            np.testing.assert_allclose(ways(found, a, b), ways(points, a, b), atol=1e-3)
            ratios.append(lengths(found, a, b) / lengths(points, a, b))
        # The hand's root stays where it is beside the wrist; its shape is its own.
        root = hand.start
        beside = points[:, root, :2] - points[:, wrist, :2]
        now = found[:, root, :2] - found[:, wrist, :2]
        np.testing.assert_allclose(now, beside, atol=1e-3)
        shape = points[:, hand, :2] - points[:, root, None, :2]
        new = found[:, hand, :2] - found[:, root, None, :2]
        size = np.linalg.norm(new[0]) / np.linalg.norm(shape[0])
        np.testing.assert_allclose(new, size * shape, atol=1e-2)
        assert abs(size - 1) > 0.01
    # One ratio for the clip and both sides.
    for ratios in (upper, lower):
        assert np.ptp(ratios) < 1e-3 < abs(ratios[0][0] - 1)
    middles = [x[:, SHOULDERS, :2].mean(1) for x in (points, found)]
    np.testing.assert_allclose(*middles, atol=1e-3)
    shift = (found - points)[:, HEAD, :2]
    assert np.ptp(shift, axis=(0, 1)).max() < 1e-3 < np.abs(shift).max()


def test_parts_of_a_body_change_one_by_one():
    points = keypoints()
    for part in ('limbs', 'hands', 'head'):
        still = dict(limbs=0, hands=0, head=0)
        moved = changed(VaryBody(**(still | {part: 0.1})), points) != points
        moved = {int(channel) for channel in np.flatnonzero(moved.any((0, 2)))}
        if part == 'head':
            assert moved == {*HEAD}
        hands = {i for hand in HANDS for i in range(hand.start, hand.stop)}
        if part == 'hands':
            assert moved == hands - {hand.start for hand in HANDS}
        if part == 'limbs':
            assert moved == hands | {i for arm in ARMS for i in arm[:3]}


def test_what_is_missing_is_not_touched_and_moves_nothing():
    _, elbow, wrist, hand = ARMS[0]
    results = []
    for somewhere in (-640, 5000):
        points = keypoints()
        points[0, elbow] = points[1, hand] = somewhere, -480, 0
        points[2, hand.start] = points[3, SHOULDERS[1]] = somewhere, -480, 0
        found = changed(VaryBody(limbs=0.3, hands=0.3), points)
        missing = points[..., 2] == 0
        np.testing.assert_array_equal(found[missing], points[missing])
        results.append(found[~missing])
        # The wrist follows the shoulder; nobody knows how long the arm is.
        shift = (found - points)[0, [SHOULDERS[0], wrist], :2]
        np.testing.assert_allclose(*shift, atol=1e-3)
    np.testing.assert_array_equal(*results)


# Estimators ---------------------------------------------------------------------------


def test_shares_of_what_is_lost():
    points = keypoints(40)
    drop = DropPoints(noise=0, points=0.1, hands=0)
    found = changed(drop, points)
    lost = found[..., 2] == 0
    assert 0.08 < lost.mean() < 0.12
    np.testing.assert_array_equal(found[~lost], points[~lost])
    # Where no heatmap reaches into the box.
    assert (found[lost][:, :2] < (BOX[0] - BOX[2], BOX[1] - BOX[3])).all()


def test_a_hand_is_lost_as_a_whole_for_up_to_half_of_the_clip():
    points, longest, clips = keypoints(12), 0, []
    for seed in range(200):
        lost = changed(DropPoints(0, 0, hands=0.5), points, seed)[..., 2] == 0
        for hand in HANDS:
            whole = lost[:, hand].all(1)
            np.testing.assert_array_equal(lost[:, hand].any(1), whole)
            clips.append(whole.any())
            longest = max(longest, whole.sum())
            assert np.abs(np.diff(whole.astype(int))).sum() <= 2  # one while
    assert 0.42 < np.mean(clips) < 0.58 and longest == 6
    assert (changed(DropPoints(0, 0, 1), keypoints(1))[:, HANDS[0], 2] == 0).all()


def test_noise_is_in_shares_of_the_box_and_of_what_was_found():
    points = keypoints(40)
    points[:, HANDS[1]] = -640, -480, 0
    found = changed(DropPoints(noise=0.01, points=0, hands=0), points)
    np.testing.assert_array_equal(found[:, HANDS[1]], points[:, HANDS[1]])
    seen = points[..., 2] > 0
    assert 1.9 < (found - points)[seen][:, :2].std() < 2.1


@pytest.mark.parametrize(
    ('kind', 'wrong'),
    [
        (VaryBody, dict(limbs=-1)),
        (VaryBody, dict(hands=-1)),
        (VaryBody, dict(head=-1)),
        (DropPoints, dict(noise=-1)),
        (DropPoints, dict(points=1.1)),
        (DropPoints, dict(hands=2)),
        (ClipErase, dict(prob=2)),
        (ClipErase, dict(area=(0.3, 0.1))),
    ],
)
def test_impossible_changes(kind, wrong):
    with pytest.raises(ConfigError, match=f'{kind.__name__}.*{next(iter(wrong))}'):
        kind(**wrong)


@pytest.mark.parametrize('transform', [VaryBody(), DropPoints(), ClipErase(prob=1)])
def test_what_was_not_loaded_cannot_be_changed(transform):
    with pytest.raises(ConfigError, match=f'{type(transform).__name__}.*LoadClip'):
        transform(dict(frames='folder', crop_box=BOX))


def test_a_rectangle_is_covered_in_all_frames():
    frames = np.random.default_rng(0).integers(0, 256, (3, 40, 40, 3), np.uint8)
    shares = []
    for seed in range(60):
        np.random.seed(seed)
        found = ClipErase(prob=0.5, area=(0.1, 0.3))(dict(frames=frames))['frames']
        other = (found != frames).any((0, 3))
        if not other.any():
            continue
        rows, columns = np.flatnonzero(other.any(1)), np.flatnonzero(other.any(0))
        inside = found[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert np.ptp(inside, axis=(0, 1, 2)).max() == 0
        shares.append(inside.shape[1] * inside.shape[2] / 1600)
    assert 15 < len(shares) < 45
    assert 0.08 < min(shares) < 0.15 and 0.25 < max(shares) < 0.33
