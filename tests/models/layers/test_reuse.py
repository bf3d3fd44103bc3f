import copy
import pickle

import pytest
import torch

from mmsign.models.layers.reuse import ReusedMemory

SHAPE = (2, 3, 4, 5, 6)


def ask(memory: ReusedMemory, shape=SHAPE, **kwargs) -> torch.Tensor:
    return memory.empty('x', shape, torch.float32, torch.device('cpu'), **kwargs)


def test_memory_is_used_again_when_nobody_holds_it():
    memory = ReusedMemory()
    first = ask(memory)
    address = first.data_ptr()
    del first
    assert ask(memory).data_ptr() == address
    smaller = ask(memory, (1, 3, 4, 5, 6))
    assert smaller.data_ptr() == address and smaller.shape == (1, 3, 4, 5, 6)


@pytest.mark.parametrize(
    'hold',
    [
        lambda x: x,
        lambda x: x[1:],
        lambda x: x.permute(4, 3, 2, 1, 0).numpy(),
        lambda x: (x * torch.ones(SHAPE, requires_grad=True)).sum(),
    ],
    ids=['tensor', 'view', 'array', 'graph'],
)
def test_memory_that_is_held_is_never_overwritten(hold):
    memory = ReusedMemory()
    held = ask(memory)
    address = held.data_ptr()
    held = hold(held)
    assert ask(memory).data_ptr() != address
    del held


def test_layout():
    last = ask(ReusedMemory())
    assert last.shape == SHAPE
    assert last.is_contiguous(memory_format=torch.channels_last_3d)


def test_channels_are_padded_for_other_devices():
    shape, device = (2, 79, 4, 5, 6), torch.device('meta')
    x = ReusedMemory().empty('x', shape, torch.float32, device)
    assert x.shape == shape and x.stride(4) == 80 and x.stride(1) == 1


def test_memory_of_inference_may_be_trained_with():
    memory = ReusedMemory()
    with torch.inference_mode():
        ask(memory).fill_(1)
    weight = torch.ones(SHAPE, requires_grad=True)
    (ask(memory).fill_(2) * weight).sum().backward()
    assert (weight.grad == 2).all()


def test_copies_hold_nothing():
    memory = ReusedMemory()
    ask(memory)
    for other in (copy.deepcopy(memory), pickle.loads(pickle.dumps(memory))):
        assert not other._kept
