import torch

from mmsign.models.backbones.s3d_names import (
    block_to_flat,
    convert_published,
    flat_to_block,
)


def test_names():
    assert flat_to_block('module.base.0.conv_s.weight') == 'blocks.0.0.conv_s.weight'
    assert flat_to_block('base.3.bn_t.bias') == 'blocks.1.2.bn_t.bias'
    assert flat_to_block('base.5.branch3.1.bn.bias') == 'blocks.2.1.branch3.1.bn.bias'
    assert flat_to_block('base.12.branch0.0.conv.weight').startswith('blocks.3.5.')
    assert flat_to_block('module.base.15.branch0.0.conv.weight')[:11] == 'blocks.4.2.'
    assert flat_to_block('module.fc.0.weight') is None


def test_our_own_names_pass():
    state = {'blocks.0.0.conv_s.weight': torch.zeros(1)}
    assert convert_published(state) == state


def test_names_and_back():
    for layer in range(16):
        name = f'base.{layer}.conv_s.weight'
        assert block_to_flat(flat_to_block(name)) == name
    assert block_to_flat('fc.0.weight') is block_to_flat('blocks.5.0.x') is None
