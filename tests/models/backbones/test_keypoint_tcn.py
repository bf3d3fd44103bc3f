from __future__ import annotations

import pytest
import torch
from tiny_models import HEAD, SIZES, sample, single_stream

from mmsign.errors import ConfigError
from mmsign.keypoints import HANDS, NOSE, PARTS
from mmsign.models.backbones.keypoint_tcn import KeypointTCN, describe
from mmsign.models.stages import backbone_stages, describe_stages


def points(clips: int = 2, frames: int = 12, seed: int = 0) -> torch.Tensor:
    """(B, 3, T, 79, 1) in the crop box."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(clips, 3, frames, 79, 1, generator=generator) * 2 - 1
    x[:, 2] = 0.9
    return x


def network(**kwargs) -> KeypointTCN:
    torch.manual_seed(0)
    return KeypointTCN(**(dict(channels=8) | kwargs)).eval()


def features(x: torch.Tensor, threshold: float = 0.3) -> torch.Tensor:
    """(F, B·T)."""
    return describe(x.squeeze(-1), threshold).transpose(0, 1).flatten(1)


def test_stages_are_the_network():
    net, x = network(depths=(1, 1, 2)), points()
    y = x
    for stage in backbone_stages(net):
        y = stage(y)
    torch.testing.assert_close(y, net(x), atol=0, rtol=0)
    infos = [
        (i.channels, i.time_stride, i.size) for i in describe_stages(net, 3, (79, 1))
    ]
    assert infos == [(8, 1, (1, 1)), (8, 2, (1, 1)), (8, 4, (1, 1))]


@pytest.mark.parametrize('frames', [1, 2, 7, 12])
def test_clips_of_any_length(frames):
    assert network()(points(1, frames)).shape == (1, 8, -(-frames // 2), 1, 1)


def test_the_shape_of_a_hand_has_neither_place_nor_size():
    x = points()
    other = x.clone()
    for hand in HANDS:
        other[:, :2, :, hand] = 0.6 * x[:, :2, :, hand] + 0.2
    same = (features(x) - features(other)).abs().amax(1) < 1e-4
    # All but the places of the two roots, the ways to them and how they move.
    roots = 2 * 2
    assert (~same).sum() == 3 * roots
    # A finger that moves is seen as that: the hand is as large as its palm.
    other = x.clone()
    other[:, 0, :, HANDS[0].stop - 1] += 0.5
    assert ((features(x) - features(other)).abs().amax(1) > 1e-2).sum() == 1


def test_a_hand_of_which_no_palm_is_found_is_as_large_as_what_is():
    x = points()
    for hand in HANDS:
        x[:, 2, :, hand.start + 1 : hand.stop] = 0
        x[:, 2, :, hand.stop - 1] = 0.9
    other = x.clone()
    for hand in HANDS:
        tip, root = hand.stop - 1, x[:, :2, :, hand][..., :1, :]
        other[:, :2, :, tip : tip + 1] = root + 2 * (x[:, :2, :, tip : tip + 1] - root)
    torch.testing.assert_close(features(other), features(x), atol=1e-4, rtol=1e-4)


def test_the_face_is_seen_from_the_nose():
    x = points()
    other = x.clone()
    face = [*range(79)[PARTS['face']], *range(79)[PARTS['mouth']]]
    nose = x[:, :2, :, NOSE : NOSE + 1]
    other[:, :2, :, face] = nose + 1.7 * (x[:, :2, :, face] - nose)
    torch.testing.assert_close(features(x), features(other), atol=1e-4, rtol=1e-4)


def test_what_moves_is_seen_from_the_second_frame_on():
    x = points(1, 1).expand(-1, -1, 5, -1, -1).clone()
    still = describe(x.squeeze(-1), 0.3)
    torch.testing.assert_close(still, still[..., :1].expand_as(still))
    x[:, 0, 3:, NOSE] += 0.1
    changed = (describe(x.squeeze(-1), 0.3) - still).abs()
    # From frame 2 to 3 the nose moves; then it stays in another place.
    assert (changed[0, :, :3] == 0).all()
    moving, staying = (changed[0, :, t] > 1e-3 for t in (3, 4))
    assert (moving & ~staying).sum() == 1 and (staying & ~moving).sum() == 0


@pytest.mark.parametrize('somewhere', [0.0, 7.0, float('nan'), float('inf')])
def test_where_a_missing_keypoint_lies_says_nothing(somewhere):
    net, x = network(), points()
    lost = torch.rand(x[:, 2].shape, generator=torch.Generator().manual_seed(1)) < 0.3
    x[:, 2][lost] = 0.1
    x[:, 2, :, PARTS['upper_body']] = torch.where(
        lost[:, :, PARTS['upper_body']], 0.0, x[:, 2, :, PARTS['upper_body']]
    )
    found = x.clone()
    found.movedim(1, -1)[lost] = torch.tensor([somewhere, somewhere, 0.0])
    torch.testing.assert_close(net(found), net(x), atol=0, rtol=0)
    assert net(found).isfinite().all()
    # That it is missing does.
    assert not torch.equal(net(points()), net(x))


def test_nobody_at_all():
    x = torch.full((1, 3, 4, 79, 1), float('nan'))
    assert (features(x) == 0).all() and network()(x).isfinite().all()


def test_from_which_score_on_a_keypoint_is_there():
    x = points()
    x[:, 2] = 0.4
    # Of hands and face; a body's point is there if it has any score.
    body = torch.zeros_like(x)
    body[..., PARTS['upper_body'], :] = x[..., PARTS['upper_body'], :]
    assert network(score_threshold=0.5)(x).equal(network()(body))
    assert network(score_threshold=0.4)(x).equal(network()(x))
    # Without a threshold what has no score is still missing.
    x[:, 2] = 0
    assert network(score_threshold=0)(x).equal(network()(torch.zeros_like(x)))


def test_a_hand_seen_from_its_tips_is_no_noise():
    x = points(1, 1)
    flat = x.clone()
    hand = flat[:, :2, :, HANDS[0]]
    flat[:, :2, :, HANDS[0]] = hand[:, :, :, :1] + 1e-4 * hand
    point = x.clone()
    point[:, :2, :, HANDS[0]] = hand[:, :, :, :1]
    apart = (features(flat) - features(point)).abs().max()
    # Divided by its own size it would look like any other hand.
    assert apart < 0.02 < (features(x) - features(point)).abs().max()


def test_a_step_sees_a_sign_from_its_beginning_to_its_end():
    def seen(net) -> int:
        """Frames that step 40 depends on."""
        x = points(1, 160)
        others = x.repeat(160, 1, 1, 1, 1)
        frames = torch.arange(160)
        others[frames, 0, frames] += 0.3
        changed = (net(others) - net(x))[:, :, 40].abs().amax((1, 2, 3)) > 1e-6
        return int(changed.sum())

    # Two seconds and more of 25 frames each.
    assert seen(network()) > 60 > seen(network(depths=(1, 1)))


def test_other_clips_of_a_batch_change_nothing_in_training_either():
    net, x = network(dropout=0.0).train(), points(3)
    torch.testing.assert_close(net(x)[:1], net(x[:1]), atol=1e-5, rtol=1e-5)


def test_every_setting_has_an_effect():
    assert network(channels=12)(points()).shape[1] == 12
    assert network(kernel_size=3).layers[0][0].conv.weight.shape[2] == 3
    dilations = [block.conv.dilation[0] for block in network(depths=(1, 3)).layers[1]]
    assert dilations == [1, 2, 4]
    for dropout, differs in ((0.0, False), (0.9, True)):
        net = network(dropout=dropout).train()
        one, other = net(points()), net(points())
        assert torch.equal(one, other) is not differs


@pytest.mark.parametrize(
    'wrong', [dict(in_channels=2), dict(depths=()), dict(kernel_size=4)]
)
def test_impossible_settings(wrong):
    with pytest.raises(ConfigError, match='KeypointTCN'):
        KeypointTCN(**wrong)


def test_other_keypoints_are_refused():
    with pytest.raises(ConfigError, match='79 keypoints, not 17'):
        network()(torch.zeros(1, 3, 8, 17, 1))


def test_under_autocast():
    net, x = network(), points()
    with torch.autocast('cpu', torch.bfloat16):
        low = net(x)
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), net(x), atol=0.05, rtol=0.05)


def recognizer(**preprocessor):
    backbone = dict(type='KeypointTCN', channels=8, depths=(1, 1))
    settings = dict(keypoint_input='points') | preprocessor
    return single_stream(
        'keypoint',
        data_preprocessor=SIZES | settings,
        keypoint=dict(backbone=backbone, head=HEAD),
    ).eval()


def test_in_a_recognizer_and_its_checkpoint(tmp_path):
    net = recognizer()
    inputs, samples = dict(points=points(2, 16)), [sample(16), sample(8)]
    logits = net(inputs, samples, mode='tensor')['keypoint']
    assert logits.shape[:2] == (2, 8) and net.output_stride == 2
    path = tmp_path / 'net.pth'
    torch.save(net.state_dict(), path)
    torch.manual_seed(5)
    other = recognizer()
    for parameter in other.parameters():
        torch.nn.init.normal_(parameter)
    other.load_state_dict(torch.load(path, weights_only=True), strict=True)
    again = other(inputs, samples, mode='tensor')['keypoint']
    torch.testing.assert_close(again, logits, atol=0, rtol=0)
    sum(net.train()(inputs, samples, mode='loss').values()).backward()
    assert all(p.grad is not None for p in net.keypoint.parameters())


def test_heatmaps_are_no_points():
    with pytest.raises(ConfigError, match='KeypointTCN'):
        recognizer(keypoint_input='heatmaps')
