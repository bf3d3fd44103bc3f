import pytest
import torch

from mmsign.models.backbones.s3d import S3D, block_to_flat, flat_to_block


def narrow(**kwargs) -> S3D:
    torch.manual_seed(0)
    return S3D(**(dict(in_channels=4, width=0.125) | kwargs))


def test_channels_of_the_published_network():
    channels = []
    net = S3D(in_channels=3, num_blocks=5)
    x = torch.zeros(1, 3, 8, 32, 32)
    with torch.no_grad():
        for stage in net.eval().stages():
            x = stage(x)
            channels.append(x.shape[1])
    assert channels == [64, 192, 480, 832, 1024] and net.out_channels == 1024


def test_stages_in_turn_are_the_backbone():
    net = narrow().eval()
    x = torch.randn(1, 4, 8, 32, 32)
    y = x
    for stage in net.stages():
        y = stage(y)
    torch.testing.assert_close(y, net(x), rtol=0, atol=0)


def test_frozen_blocks_do_not_move():
    net = narrow(frozen_blocks=2).train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    net(torch.randn(2, 4, 8, 32, 32)).sum().backward()
    torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 0.1).step()
    for key, value in net.state_dict().items():
        frozen = key.startswith(('blocks.0.', 'blocks.1.'))
        if frozen:
            torch.testing.assert_close(value, before[key], rtol=0, atol=0)
        elif 'running_mean' in key or 'conv' in key:
            assert not torch.equal(value, before[key]), key


def test_a_frozen_block_passes_gradients_on():
    net = narrow(frozen_blocks=4).train()
    x = torch.randn(1, 4, 8, 32, 32, requires_grad=True)
    net(x).sum().backward()
    assert x.grad.abs().sum() > 0


def test_activation_checkpointing_changes_nothing():
    plain, saving = narrow(), narrow(with_cp=True)
    x = torch.randn(2, 4, 8, 32, 32)
    for net in (plain, saving):
        net(x).square().mean().backward()
    for (name, a), b in zip(plain.named_parameters(), saving.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, msg=name)
    for a, b in zip(plain.buffers(), saving.buffers(), strict=True):
        torch.testing.assert_close(a, b)


def published_names(net: S3D) -> dict:
    """The network's tensors under the names of the Kinetics-400 file."""
    starts = (0, 1, 4, 7, 13)
    state = {}
    for key, value in net.state_dict().items():
        _, block, layer, rest = key.split('.', 3)
        state[f'module.base.{starts[int(block)] + int(layer)}.{rest}'] = value
    state['module.fc.0.weight'] = torch.zeros(400, net.out_channels, 1, 1, 1)
    return state


@pytest.mark.slow
def test_kinetics_weights_and_their_first_convolution(tmp_path):
    source = narrow(in_channels=3, num_blocks=5)
    path = tmp_path / 's3d.pth'
    torch.save(published_names(source), path)
    same = narrow(in_channels=3, pretrained=str(path))
    same.init_weights()
    for key, value in same.state_dict().items():
        torch.testing.assert_close(value, source.state_dict()[key])
    other = narrow(in_channels=7, pretrained=str(path))
    first = other.blocks[0][0].conv_s.weight.clone()
    other.init_weights()
    torch.testing.assert_close(other.blocks[0][0].conv_s.weight, first)
    torch.testing.assert_close(
        other.blocks[0][0].conv_t.weight, source.blocks[0][0].conv_t.weight
    )


def test_weights_that_do_not_fit(tmp_path):
    path = tmp_path / 's3d.pth'
    torch.save(published_names(narrow(width=0.25)), path)
    net = narrow(pretrained=str(path))
    with pytest.raises(ValueError, match='of another shape'):
        net.init_weights()


@pytest.mark.parametrize(
    'arguments', [dict(num_blocks=3), dict(frozen_blocks=5), dict(width=0)]
)
def test_impossible_arguments(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        narrow(**arguments)


def test_checkpointing_in_bfloat16_gives_the_same_gradients():
    x = torch.rand(1, 3, 16, 32, 32)
    gradients = []
    for with_cp in (False, True):
        torch.manual_seed(0)
        net = narrow(in_channels=3, with_cp=with_cp).train()
        with torch.autocast('cpu', torch.bfloat16):
            y = net(x)
        y.float().square().sum().backward()
        gradients.append([p.grad for p in net.parameters()])
    for plain, checkpointed in zip(*gradients, strict=True):
        torch.testing.assert_close(checkpointed, plain, rtol=0.05, atol=1e-3)


def test_published_names():
    assert flat_to_block('module.base.0.conv_s.weight') == 'blocks.0.0.conv_s.weight'
    assert flat_to_block('base.3.bn_t.bias') == 'blocks.1.2.bn_t.bias'
    assert flat_to_block('base.5.branch3.1.bn.bias') == 'blocks.2.1.branch3.1.bn.bias'
    assert flat_to_block('base.12.branch0.0.conv.weight').startswith('blocks.3.5.')
    assert flat_to_block('module.base.15.branch0.0.conv.weight')[:11] == 'blocks.4.2.'
    assert flat_to_block('module.fc.0.weight') is None


def test_our_own_names_pass():
    state = {'blocks.0.0.conv_s.weight': torch.zeros(1)}
    assert S3D.convert_checkpoint(state) == state


def test_published_names_and_back():
    for layer in range(16):
        name = f'base.{layer}.conv_s.weight'
        assert block_to_flat(flat_to_block(name)) == name
    assert block_to_flat('fc.0.weight') is block_to_flat('blocks.5.0.x') is None
