import numpy as np

from mmsign.toy.motion import sign_sentence
from mmsign.toy.signers import Difficulty, make_cast, signer_of
from mmsign.toy.skeleton import LOW_SCORE, estimate, pose_of

SIZE = (84, 104)
SENTENCE = ['REGEN', 'VIEL', 'NORD', 'SONNE'] * 5


def pose(signer=None, size=SIZE, glosses=SENTENCE):
    signer = signer or signer_of('Anna')
    motion = sign_sentence(glosses, signer, np.random.default_rng(0))
    return pose_of(motion, signer, size)


def test_poses_scale_with_the_frame():
    small, large = (pose(size=size) for size in (SIZE, (168, 208)))
    np.testing.assert_allclose(2 * small.points, large.points, rtol=1e-9)
    assert large.unit == 2 * small.unit and small.points.shape[1:] == (133, 2)


def test_left_handed_signers_lead_with_the_left_hand():
    cast = make_cast(dict(train=8), seed=0)['train']
    for signer in (cast[0], cast[5]):
        points = pose(signer, glosses=['SONNE']).points
        left, right = np.ptp(points[:, [91, 112]], axis=0).sum(-1)
        assert (left > right) == signer.left_handed


def test_a_clean_estimate_is_the_truth_inside_the_frame():
    truth = pose(signer_of('Anna', Difficulty.scaled(0)))
    found = estimate(truth, SIZE, np.random.default_rng(0))
    clipped = np.clip(truth.points, 0, np.array(SIZE) - 1)
    np.testing.assert_allclose(found[..., :2], clipped, atol=1e-4)


def test_errors_have_low_scores():
    truth = pose(signer_of('Anna', Difficulty.scaled(3)))
    found = estimate(truth, SIZE, np.random.default_rng(0))
    error = np.linalg.norm(found[..., :2] - truth.points, axis=-1)
    low = found[..., 2] < LOW_SCORE
    assert 0 < low.mean() < 0.3
    assert error[~low].max() < 0.15 * truth.unit < error[low].max()
    assert ((found[..., :2] >= 0) & (found[..., :2] <= np.array(SIZE) - 1)).all()
