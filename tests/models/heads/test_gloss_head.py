import pytest
import torch

from mmsign.models.heads.gloss_head import GlossHead, JointHead, PyramidHead


def head(cls=GlossHead) -> GlossHead:
    torch.manual_seed(0)
    return cls(7, 5, hidden_channels=8, feedforward_channels=12)


def test_shapes():
    logits, features = head()(torch.randn(2, 6, 7), torch.tensor([6, 3]))
    assert logits.shape == (2, 6, 5) and features.shape == (2, 6, 8)
    assert logits.dtype == torch.float32


def test_what_a_clip_is_batched_with_does_not_matter():
    net = head().eval()
    x = torch.randn(2, 6, 7)
    together = net(x, torch.tensor([6, 3]))[0]
    alone = net(x[1:, :3], torch.tensor([3]))[0]
    torch.testing.assert_close(together[1, :3], alone[0], rtol=1e-5, atol=1e-5)


def test_joint_head_is_the_same_network():
    assert head(JointHead).state_dict().keys() == head().state_dict().keys()


def test_the_backbone_gets_a_gradient_from_the_first_step():
    # Small classifier weights would starve it: the gradient is proportional to them.
    torch.manual_seed(0)
    weight = GlossHead(12, 20, hidden_channels=64).classifier.weight
    assert weight.std().item() == pytest.approx((2 / (64 + 20)) ** 0.5, rel=0.1)


def test_one_head_per_level():
    net = PyramidHead(
        [4, 6], 5, loss_weight=0.2, hidden_channels=8, feedforward_channels=12
    ).eval()
    levels = [torch.randn(2, 8, 4), torch.randn(2, 4, 6)]
    lengths = [torch.tensor([8, 4]), torch.tensor([4, 2])]
    outputs = net(levels, lengths)
    assert [tuple(x.shape) for x in outputs] == [(2, 8, 5), (2, 4, 5)]
    for head, level, valid, out in zip(
        net.heads, levels, lengths, outputs, strict=True
    ):
        torch.testing.assert_close(head(level, valid)[0], out)
