import numpy as np

from mmsign.toy.difficulty import Difficulty
from mmsign.toy.keypoint_noise import LOW_SCORE, estimate
from mmsign.toy.motion import sign_sentence
from mmsign.toy.signers import signer_of
from mmsign.toy.skeleton import pose_of

SIZE = (84, 104)


def pose():
    signer = signer_of('Anna')
    glosses = ['REGEN', 'VIEL', 'NORD', 'SONNE'] * 5
    return pose_of(
        sign_sentence(glosses, signer, np.random.default_rng(0)), signer, SIZE
    )


def test_a_clean_estimate_is_the_truth_inside_the_frame():
    truth = pose()
    found = estimate(truth, SIZE, np.random.default_rng(0), Difficulty.scaled(0))
    clipped = np.clip(truth.points, 0, np.array(SIZE) - 1)
    np.testing.assert_allclose(found[..., :2], clipped, atol=1e-4)


def test_errors_have_low_scores():
    truth = pose()
    found = estimate(truth, SIZE, np.random.default_rng(0), Difficulty.scaled(3))
    error = np.linalg.norm(found[..., :2] - truth.points, axis=-1)
    low = found[..., 2] < LOW_SCORE
    assert 0 < low.mean() < 0.3
    assert error[~low].max() < 0.15 * truth.unit < error[low].max()
    assert ((found[..., :2] >= 0) & (found[..., :2] <= np.array(SIZE) - 1)).all()
