import torch
import torch.nn as nn

from mmsign.models.layers.memory_format import to_memory_format


def test_2d_and_3d_weights_each_in_their_own():
    net = nn.ModuleList([nn.Conv2d(3, 4, 3), nn.Conv3d(3, 4, 3), nn.Linear(3, 4)])
    values = [parameter.clone() for parameter in net.parameters()]
    to_memory_format(net, torch.channels_last_3d)
    assert net[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert net[1].weight.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(list(net.parameters()), values)
    to_memory_format(net, torch.contiguous_format)
    assert net[0].weight.is_contiguous() and net[1].weight.is_contiguous()
