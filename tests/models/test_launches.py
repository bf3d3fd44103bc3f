"""How many kernels a training step launches: what makes it slow on a GPU."""

import pytest
import torch
from aten_calls import AtenCalls
from tiny_models import network_inputs, sample, two_stream

from mmsign.models.layers import shifts

MOST = 1300


@pytest.mark.slow
@pytest.mark.parametrize('low', [False, True], ids=['float32', 'bfloat16'])
@pytest.mark.parametrize('on_gpu', [False, True], ids=['CPU', 'as on a GPU'])
def test_a_training_step(on_gpu, low, monkeypatch):
    # At sizes for which a CPU's faults need no padding.
    monkeypatch.setattr(shifts, '_in_one_launch', lambda y: on_gpu)
    net = two_stream().train()
    inputs = {
        name: x.contiguous(memory_format=torch.channels_last_3d)
        for name, x in network_inputs(1, 32, 112).items()
    }
    for _ in range(2):  # the first computes the positions
        net.zero_grad()
        calls = AtenCalls()
        with calls:
            with torch.autocast('cpu', torch.bfloat16, enabled=low):
                losses = net(inputs, [sample(30)], mode='loss')
            sum(losses.values()).backward()
    assert calls.total() <= MOST, f'{calls.total()} calls\n{calls}'
