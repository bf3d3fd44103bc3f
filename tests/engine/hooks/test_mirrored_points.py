from types import SimpleNamespace

import pytest

from mmsign.datasets.transforms import ClipFlip, ClipWarp, SampleClip
from mmsign.engine.hooks import MirroredPointsHook
from mmsign.errors import ConfigError
from mmsign.keypoints import PARTS
from mmsign.models import SignDataPreprocessor

RIGHT_HAND = [f'right_hand_{number}' for number in range(21)]


def run(keypoints, *steps, stream: str = 'keypoint') -> None:
    pipeline = SimpleNamespace(transforms=[SampleClip(), *steps])
    model = SimpleNamespace(
        data_preprocessor=SignDataPreprocessor(keypoints=keypoints), **{stream: True}
    )
    dataset = SimpleNamespace(pipeline=pipeline)
    loader = SimpleNamespace(dataset=dataset)
    MirroredPointsHook().before_train(
        SimpleNamespace(model=model, train_dataloader=loader)
    )


@pytest.mark.parametrize('step', [ClipFlip(), ClipWarp()])
def test_one_side_alone_is_refused(step):
    with pytest.raises(ConfigError, match='21 of its .*right_hand_0, .*mirror=0'):
        run(RIGHT_HAND, step)
    with pytest.raises(ConfigError, match='1 of its .*left_wrist'):
        run(['nose', 'left_wrist'], step)


def test_what_may_be_mirrored():
    run(None, ClipFlip())
    for part in PARTS:
        run(part, ClipFlip())
    run(RIGHT_HAND, ClipFlip(prob=0.0))
    run(RIGHT_HAND)
    run(RIGHT_HAND, ClipFlip(), stream='video')
