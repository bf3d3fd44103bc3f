import numpy as np

from mmsign.toy.lexicon import MOUTH_PAIRS, PIXEL_PAIRS
from mmsign.toy.render import render_sentence
from mmsign.toy.signers import Difficulty, signer_of

CLEAN = Difficulty.scaled(0)


def render(gloss):
    rng = np.random.default_rng(0)
    return render_sentence([gloss], signer_of('Anna', CLEAN), (84, 104), rng)


def test_the_drawing_is_golden():
    # A seed gives the same corpus; a version that changes it says so in CHANGELOG.md.
    rng = np.random.default_rng(0)
    glosses = ['REGEN', 'HAGEL']
    frames, keypoints = render_sentence(glosses, signer_of('Anna'), (84, 104), rng)
    assert frames.shape == (26, 104, 84, 3) and frames.dtype == np.uint8
    assert keypoints.shape == (26, 133, 3)
    golden = 141.696, 127.528, 119.340
    np.testing.assert_allclose(frames.mean((0, 1, 2)), golden, atol=0.05)
    golden = 41.965878, 44.73918, 0.7812908
    np.testing.assert_allclose(keypoints.mean((0, 1)), golden, rtol=1e-5)


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
