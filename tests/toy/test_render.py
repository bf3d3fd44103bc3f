import numpy as np

from mmsign.toy.difficulty import Difficulty
from mmsign.toy.lexicon import MOUTH_PAIRS, PIXEL_PAIRS
from mmsign.toy.render import render_sentence
from mmsign.toy.signers import signer_of

CLEAN = Difficulty.scaled(0)


def render(gloss, size=(84, 104)):
    rng = np.random.default_rng(0)
    return render_sentence([gloss], signer_of('Anna'), size, rng, CLEAN)


def test_shapes_and_repeatability():
    frames, keypoints = render('REGEN', (42, 52))
    assert frames.shape[1:] == (52, 42, 3) and frames.dtype == np.uint8
    assert keypoints.shape == (len(frames), 133, 3)
    again, _ = render('REGEN', (42, 52))
    np.testing.assert_array_equal(frames, again)


def test_pixel_pairs_share_their_keypoints():
    for a, b in PIXEL_PAIRS:
        (frames, points), (others, other_points) = render(a), render(b)
        np.testing.assert_array_equal(points[..., :2], other_points[..., :2])
        assert np.abs(frames.astype(int) - others).max() > 60


def test_mouth_pairs_differ_in_the_frames_only_at_the_mouth():
    for a, b in MOUTH_PAIRS:
        (frames, points), (others, other_points) = render(a), render(b)
        mouth = points[:, 71:91, :2]
        assert np.abs(mouth - other_points[:, 71:91, :2]).max() > 2
        changed = np.argwhere((frames != others).any((0, 3)))
        reach = np.concatenate([mouth, other_points[:, 71:91, :2]]).reshape(-1, 2)
        low, high = reach.min(0) - 3, reach.max(0) + 3
        assert ((changed[:, ::-1] >= low) & (changed[:, ::-1] <= high)).all()
