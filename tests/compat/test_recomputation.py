from collections import Counter
from contextlib import contextmanager, nullcontext

import torch
import torch.nn as nn
from torch.utils._python_dispatch import TorchDispatchMode

from mmsign.compat import KEEPS_PRODUCTS, recompute_all_but_products


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv1d(2, 3, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(12, 4, bias=False),
        nn.ReLU(),
    )


class Calls(TorchDispatchMode):
    """Counts the operators that run within it."""

    def __init__(self) -> None:
        super().__init__()
        self.found = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.found[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def test_only_what_is_cheap_runs_again():
    x = torch.randn(2, 2, 4)
    plain, saving = network(), network()
    with Calls() as before:
        plain(x).sum().backward()
    with Calls() as after:
        recompute_all_but_products(saving, x, nullcontext).sum().backward()
    repeated = 0 if KEEPS_PRODUCTS else 1
    assert before.found['relu'] == 2 and after.found['relu'] == 4
    assert before.found['convolution'] == 1
    assert after.found['convolution'] == 1 + repeated
    assert after.found['mm'] == before.found['mm'] + repeated > 0
    for a, b in zip(plain.parameters(), saving.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_runs_again_in_its_context():
    entered = []

    @contextmanager
    def recomputing():
        entered.append(1)
        yield

    y = recompute_all_but_products(network(), torch.randn(2, 2, 4), recomputing)
    assert not entered
    y.sum().backward()
    assert entered == [1]
