from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from families import FAMILIES, build
from peer_files import PeerFile, peer_files, peer_state
from stage_outputs import paths, stage_outputs

from mmsign.errors import CheckpointError, ConfigError
from mmsign.models import BidirectionalSlowFast
from mmsign.models.weights import load_backbone


def narrow(**changes) -> BidirectionalSlowFast:
    torch.manual_seed(0)
    sizes = dict(depth=50, base_channels=16, stage_blocks=(1, 1, 1, 1))
    return BidirectionalSlowFast(**(sizes | changes))


@pytest.mark.slow
@pytest.mark.parametrize('path', peer_files('slowfastsign')[:1], ids=lambda x: x.stem)
def test_features_agree_with_the_published_backbone(path):
    file = PeerFile(path)
    net = BidirectionalSlowFast()
    state = peer_state('slowfastsign', file.seed, 'conv2d.')
    net.load_state_dict(net.convert_checkpoint(state), strict=True)
    net.eval()
    with torch.no_grad():
        outputs = stage_outputs(net, file.frames()[:1])
    found = {}
    for name, x in paths(outputs).items():
        step = max(1, x.shape[-1] // 4)
        found[f'{name}_slice'] = x[:, :8, :4, ::step, ::step]
    found['framewise'] = outputs[-1].mean((3, 4))
    shown = found.keys() & file.expected.keys()
    assert len(shown) > 4
    for name in shown:
        # The other clips would tell no more.
        file.expected[name] = file.expected[name][:1]
        file.check(name, found[name])


@pytest.mark.parametrize('frames', [16, 10, 1])
def test_stages_exchange_what_the_paths_put_out(frames):
    net = narrow()
    for name, parameter in net.named_parameters():
        if name.endswith('gain'):
            torch.nn.init.uniform_(parameter)
    net.eval()
    x = torch.randn(2, 3, frames, 32, 32)
    slow, fast = x[:, :, ::4], x
    index = torch.arange(frames) // 4
    with torch.no_grad():
        outputs = stage_outputs(net, x)
        pairs = zip(net.slow_path.stages(), net.fast_path.stages())
        for number, ((slow_stage, fast_stage), found) in enumerate(zip(pairs, outputs)):
            slow, fast = slow_stage(slow), fast_stage(fast)
            if number < 4:
                part = net.fusions[number]
                conv, norm = part.to_slow.conv, part.to_slow.bn
                y = F.conv3d(fast, conv.weight, stride=(4, 1, 1), padding=(2, 0, 0))
                z = F.conv3d(slow, part.to_fast.conv.weight)
                slow = slow + part.slow_gain * F.relu(norm(y))
                z = F.relu(part.to_fast.bn(z))
                fast = fast + part.fast_gain * z[:, :, index]
            both = torch.cat([slow[:, :, index], fast], 1)
            torch.testing.assert_close(found, both, rtol=1e-4, atol=1e-4)
    assert slow.shape[2] == -(-frames // 4)
    assert net.pathway_channels == dict(slow=slow.shape[1], fast=fast.shape[1])


def test_sixteen_bit_stays_sixteen_bit():
    net = narrow()
    with torch.autocast('cpu', torch.bfloat16):
        outputs = stage_outputs(net, torch.randn(1, 3, 8, 32, 32))
    assert {x.dtype for x in outputs} == {torch.bfloat16}


def test_six_blocks_of_the_third_layer_look_at_time():
    with torch.device('meta'):
        net = BidirectionalSlowFast()
    for path in (net.slow_path, net.fast_path):
        in_time = [block.conv1.conv.kernel_size[0] for block in path.layer3]
        assert in_time == [3] * 6 + [1] * 17
        assert {b.conv1.conv.kernel_size[0] for b in path.layer4} == {3}
    assert {b.conv1.conv.kernel_size[0] for b in net.slow_path.layer2} == {1}
    assert {b.conv1.conv.kernel_size[0] for b in net.fast_path.layer2} == {3}


def test_weights_of_mmaction2_leave_the_fusions(tmp_path):
    config = FAMILIES['slowfast'][0]
    blocks = (1, 1, 7, 1)
    changes = {
        path: config[path] | dict(stage_blocks=blocks)
        for path in ('slow_pathway', 'fast_pathway')
    }
    theirs = build(config, **changes).state_dict()
    file = str(tmp_path / 'slowfast.pth')
    state = {f'backbone.{k}': v for k, v in theirs.items()}
    torch.save(dict(state_dict=state | {'cls_head.fc_cls.bias': torch.ones(4)}), file)
    sizes = dict(base_channels=8, channel_ratio=4, stage_blocks=blocks)
    net = narrow(**sizes)
    fusions = {k: v.clone() for k, v in net.fusions.state_dict().items()}
    load_backbone(net, file)
    ours = net.state_dict()
    # What came from the fast path is cut off.
    key = 'slow_path.layer1.0.conv1.conv.weight'
    assert theirs[key].shape[1] == 12
    torch.testing.assert_close(ours[key], theirs[key][:, :8])
    # Where ours looks at one frame, theirs is summed over three.
    key = 'slow_path.layer3.6.conv1.conv.weight'
    torch.testing.assert_close(ours[key], theirs[key].sum(2, keepdim=True))
    key = 'fast_path.layer3.5.conv1.conv.weight'
    torch.testing.assert_close(ours[key], theirs[key])
    assert all(v.equal(fusions[k]) for k, v in net.fusions.state_dict().items())
    with pytest.raises(CheckpointError, match='shape'):
        load_backbone(narrow(**sizes | dict(base_channels=16)), file)


def test_checkpointing_gives_the_same_gradients():
    gradients = []
    for with_cp in (False, True):
        net = narrow(with_cp=with_cp)
        torch.manual_seed(1)
        net(torch.randn(1, 3, 8, 64, 64)).square().mean().backward()
        found = {name: p.grad for name, p in net.named_parameters()}
        found |= {k: v for k, v in net.state_dict().items() if 'running' in k}
        gradients.append(found)
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize('changes', [dict(depth=18), dict(base_channels=20)])
def test_sizes_that_there_are_not_are_refused(changes):
    with pytest.raises(ConfigError, match=f'{next(iter(changes))}='):
        BidirectionalSlowFast(**changes)
