import pytest
import torch
import torch.nn as nn

from mmsign.errors import ConfigError
from mmsign.models.heads.gloss_head import (
    GlossHead,
    JointHead,
    LinearHead,
    PyramidHead,
    classify_together,
)
from mmsign.models.layers.sequence import ClipLengths


def head(cls=GlossHead) -> GlossHead:
    torch.manual_seed(0)
    return cls(7, 5, hidden_channels=8, feedforward_channels=12)


def test_shapes():
    logits, features, _ = head()(torch.randn(2, 6, 7), torch.tensor([6, 3]))
    assert logits.shape == (2, 6, 5) and features.shape == (2, 6, 8)
    assert logits.dtype == torch.float32


def test_what_a_clip_is_batched_with_does_not_matter():
    net = head().eval()
    x = torch.randn(2, 6, 7)
    together = net(x, torch.tensor([6, 3]))[0]
    alone = net(x[1:, :3], torch.tensor([3]))[0]
    torch.testing.assert_close(together[1, :3], alone[0], rtol=1e-5, atol=1e-5)


def test_linear_head_is_one_layer_behind_dropout():
    torch.manual_seed(0)
    net, x = LinearHead(7, 5, dropout=0.5), torch.randn(2, 6, 7)
    logits, features, _ = net.eval()(x, torch.tensor([6, 3]))
    assert torch.equal(features, x) and net.hidden_channels == 7
    by_hand = x @ net.classifier.weight.T + net.classifier.bias
    torch.testing.assert_close(logits, by_hand, rtol=1e-5, atol=1e-6)
    net.train()
    assert not torch.equal(net(x)[0], net(x)[0])
    with torch.autocast('cpu', torch.bfloat16):
        assert net(x)[0].dtype == torch.float32


def test_the_classifier_of_a_linear_head_is_named():
    torch.manual_seed(0)
    net, x = LinearHead(7, 5, classifier='factored').eval(), torch.randn(2, 6, 7)
    assert torch.equal(net(x)[0], net.classifier(x))
    torch.testing.assert_close(net(x)[0][..., 1:].logsumexp(-1), torch.zeros(2, 6))
    with pytest.raises(ConfigError, match="classifier='cosine'"):
        LinearHead(7, 5, classifier='cosine')


def test_joint_head_is_the_same_network():
    assert head(JointHead).state_dict().keys() == head().state_dict().keys()


def test_the_backbone_gets_a_gradient_from_the_first_step():
    # Small classifier weights would starve it: the gradient is proportional to them.
    torch.manual_seed(0)
    weight = GlossHead(12, 20, hidden_channels=64).classifier.weight
    assert weight.std().item() == pytest.approx((2 / (64 + 20)) ** 0.5, rel=0.1)


def test_several_heads_are_what_each_is_alone():
    # Of another size and number of steps too; outputs, gradients, averages.
    lengths = ClipLengths([24, 12], 24)
    results = []
    for together in (True, False):
        torch.manual_seed(0)
        size = dict(feedforward_channels=12, dropout=0.0)
        shapes = [(7, 8, 3), (5, 8, 3), (7, 8, 3), (7, 6, 3), (7, 8, 4)]
        heads = [
            GlossHead(c, 5, hidden_channels=hidden, kernel_size=k, **size)
            for c, hidden, k in shapes
        ]
        steps = [6, 6, 8, 6, 6]
        inputs = [
            torch.randn(2, n, c).requires_grad_() for (c, _, _), n in zip(shapes, steps)
        ]
        if together:
            named = dict(zip('abcde', heads)), dict(zip('abcde', inputs))
            found = classify_together(*named, lengths)
            assert list(found) == list('abcde')
            found = found.values()
        else:
            found = [head(x, lengths.of(x)) for head, x in zip(heads, inputs)]
        outputs = [y for output in found for y in output[:2]]
        sum((i + 1) * y.square().sum() for i, y in enumerate(outputs)).backward()
        layers = nn.ModuleList(heads)
        gradients = [x.grad for x in (*inputs, *layers.parameters())]
        results.append([*outputs, *gradients, *layers.state_dict().values()])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_one_head_per_level():
    sizes = dict(hidden_channels=8, feedforward_channels=12)
    net = PyramidHead([4, 6], 5, loss_weight=0.2, **sizes)
    assert [head.fc.in_features for head in net.heads] == [4, 6]
