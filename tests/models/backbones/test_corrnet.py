from __future__ import annotations

import pytest
import torch
from peer_files import PeerFile, peer_files, peer_state, scaled
from stage_outputs import stage_outputs

from mmsign.errors import ConfigError
from mmsign.models import CorrNet
from mmsign.models.backbones import corrnet
from mmsign.models.backbones.corrnet import Correlation, correlate
from mmsign.models.weights import load_backbone


@pytest.mark.slow
@pytest.mark.parametrize('path', peer_files('corrnet_scaled')[:1], ids=lambda x: x.stem)
def test_features_agree_with_the_published_backbone(path):
    file = PeerFile(path)
    net = CorrNet()
    state = scaled(peer_state('corrnet', file.seed, 'conv2d.'))
    net.load_state_dict(net.convert_checkpoint(state), strict=True)
    net.eval()
    with torch.no_grad():
        features = stage_outputs(net, file.frames()[:1])[-1]
    # The other clips would tell no more.
    file.expected['framewise'] = file.expected['framewise'][:1]
    file.check('framewise', features.mean((3, 4)))


def brute_force(layer: Correlation, x: torch.Tensor) -> torch.Tensor:
    """Frame by frame, with all affinities and the three convolutions as they are."""
    y = layer.project(x)
    frames = x.shape[2]
    found = torch.zeros_like(x)
    for t in range(frames):
        query = x[:, :, t].flatten(2)
        pair = min(t + 1, frames - 1), max(t - 1, 0)
        for weight, other in zip(layer.neighbour_weights, pair):
            near = y[:, :, other].flatten(2)
            affinity = torch.einsum('bcp,bcq->bpq', query, near).sigmoid() - 0.5
            of_one = torch.einsum('bpq,bcq->bcp', affinity, near)
            found[:, :, t] += weight * of_one.view_as(x[:, :, t])
    z, where = layer.reduce(x), 0
    for weight, conv in zip(layer.scale_weights, layer.scales):
        padding = conv.kernel_size[0] // 2, conv.dilation[1], conv.dilation[2]
        settings = dict(padding=padding, dilation=conv.dilation, groups=conv.groups)
        of_one = torch.conv3d(z, conv.weight, conv.bias, **settings)
        where = where + weight * of_one
    return found * (layer.expand(where).sigmoid() - 0.5)


@pytest.mark.parametrize('frames', [1, 5])
def test_a_correlation_is_what_its_equations_say(frames):
    torch.manual_seed(0)
    layer = Correlation(32).double()
    for weight in (layer.neighbour_weights, layer.scale_weights):
        torch.nn.init.uniform_(weight)
    x = torch.randn(2, 32, frames, 6, 4, dtype=torch.float64, requires_grad=True)
    pairs = []
    for found in (layer(x), brute_force(layer, x)):
        wanted = x, *layer.parameters()
        pairs.append((found, *torch.autograd.grad(found.square().sum(), wanted)))
    for ours, plain in zip(*pairs):
        torch.testing.assert_close(ours, plain)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_large_features_do_not_overflow_in_16_bit(dtype):
    torch.manual_seed(0)
    x, near = (60 * torch.randn(2, 49, 64) for _ in range(2))
    x, near = x.to(dtype).requires_grad_(), near.to(dtype)
    assert (x.detach().float() @ near.float().mT).abs().max() > 6e4
    with torch.autocast('cpu', torch.bfloat16, enabled=dtype == torch.bfloat16):
        found = correlate(x, near)
    found.sum().backward()
    exact = correlate(x.detach().double(), near.double())
    # Sums of 1e5 are known to some thousandths.
    assert (found - exact).abs().max() < 1e-4 * exact.abs().max()
    assert x.grad.isfinite().all()


def test_affinities_of_a_few_frames_are_in_memory_at_a_time(monkeypatch):
    torch.manual_seed(0)
    x, near = torch.randn(7, 16, 8), torch.randn(7, 16, 8)
    expected, seen = correlate(x, near), []
    plain = corrnet._correlated
    monkeypatch.setattr(corrnet, '_PAIRS_AT_ONCE', 3 * 16**2)
    monkeypatch.setattr(
        corrnet, '_correlated', lambda a, b: seen.append(len(a)) or plain(a, b)
    )
    kept = []
    x.requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(
        lambda y: kept.append(y.numel()) or y, lambda y: y
    ):
        found = correlate(x, near)
    assert seen == [3, 3, 1]
    # Of the forward pass nothing of the size of the affinities is kept.
    assert not [numel for numel in kept if numel > 3 * 16 * 8]
    torch.testing.assert_close(found, expected)


def test_it_starts_as_a_network_of_single_frames():
    torch.manual_seed(0)
    net = CorrNet(base_channels=8)
    net.init_weights()
    net.eval()
    x = torch.randn(1, 3, 4, 32, 32)
    with torch.no_grad():
        single = torch.cat([net(x[:, :, t : t + 1]) for t in range(4)], 2)
        torch.testing.assert_close(net(x), single)
        net.gains.fill_(0.5)
        assert not torch.allclose(net(x), single)


def narrow_image_network() -> dict[str, torch.Tensor]:
    """A ResNet-18 under torchvision's names."""
    net = CorrNet(base_channels=8, correlated=())
    state = {}
    for name, x in net.state_dict().items():
        if 'gains' not in name:
            for ours, theirs in (
                ('downsample.conv', 'downsample.0'),
                ('downsample.bn', 'downsample.1'),
                ('conv1.bn', 'bn1'),
                ('conv2.bn', 'bn2'),
                ('.conv.', '.'),
            ):
                name = name.replace(ours, theirs)
            x = x.squeeze(2) if x.dim() == 5 else x
            state[name] = torch.rand_like(x) if x.is_floating_point() else x
    return state | {'fc.weight': torch.zeros(10, 64), 'fc.bias': torch.zeros(10)}


def test_weights_of_an_image_network_leave_the_correlations(tmp_path):
    state = narrow_image_network()
    assert 'layer2.0.downsample.0.weight' in state and 'layer1.1.bn2.bias' in state
    torch.save(state, tmp_path / 'resnet18.pth')
    net = CorrNet(base_channels=8)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    load_backbone(net, str(tmp_path / 'resnet18.pth'))
    kernel = net.layer2[0].downsample.conv.weight
    assert kernel[:, :, 0].equal(state['layer2.0.downsample.0.weight'])
    changed = {k for k, v in net.state_dict().items() if not v.equal(before[k])}
    assert {k for k in before if 'correlations' in k or k == 'gains'}.isdisjoint(
        changed
    )
    assert 'layer4.1.conv2.bn.running_var' in changed


def test_a_layer_that_there_is_not_is_refused():
    assert list(CorrNet(base_channels=8, correlated=(3, 4)).correlations) == ['3', '4']
    with pytest.raises(ConfigError, match='correlated=.*5'):
        CorrNet(base_channels=8, correlated=(5,))


def test_checkpointing_gives_the_same_gradients():
    gradients = []
    for with_cp in (False, True):
        torch.manual_seed(0)
        net = CorrNet(base_channels=8, with_cp=with_cp)
        torch.nn.init.constant_(net.gains, 0.5)
        net(torch.randn(1, 3, 3, 32, 32)).square().mean().backward()
        gradients.append({name: p.grad for name, p in net.named_parameters()})
        gradients[-1] |= {k: v for k, v in net.state_dict().items() if 'running' in k}
    torch.testing.assert_close(*gradients)
