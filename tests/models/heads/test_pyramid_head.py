import torch

from mmsign.models.heads.pyramid_head import PyramidHead


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
