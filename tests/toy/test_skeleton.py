import numpy as np

from mmsign.toy.motion import sign_sentence
from mmsign.toy.signers import make_cast, signer_of
from mmsign.toy.skeleton import pose_of


def pose(signer, size):
    motion = sign_sentence(['REGEN', 'VIEL'], signer, np.random.default_rng(0))
    return pose_of(motion, signer, size)


def test_poses_scale_with_the_frame():
    small, large = (pose(signer_of('Anna'), size) for size in ((84, 104), (168, 208)))
    np.testing.assert_allclose(2 * small.points, large.points, rtol=1e-9)
    assert large.unit == 2 * small.unit and small.points.shape[1:] == (133, 2)


def test_left_handed_signers_lead_with_the_left_hand():
    cast = make_cast(dict(train=8), seed=0)['train']
    for signer in (cast[0], cast[5]):
        motion = sign_sentence(['SONNE'], signer, np.random.default_rng(0))
        points = pose_of(motion, signer, (84, 104)).points
        travel = {
            side: np.ptp(points[:, index], axis=0).sum()
            for side, index in dict(left=91, right=112).items()
        }
        leading = 'left' if signer.left_handed else 'right'
        assert max(travel, key=travel.get) == leading
