import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign.models.losses.ctc_loss import CTCLoss
from mmsign.vocab import steps_needed


def brute_force(log_probs: torch.Tensor, target: list[int], blank: int) -> float:
    """−log of the summed probability of all paths that spell ``target``."""
    steps, classes = log_probs.shape
    total = 0.0
    for path in itertools.product(range(classes), repeat=steps):
        spelled = [c for c, _ in itertools.groupby(path) if c != blank]
        if spelled == target:
            total += float(log_probs[range(steps), path].sum().exp())
    return -torch.tensor(total).log().item()


@pytest.mark.parametrize('blank', [0, 2])
def test_equals_the_sum_over_all_paths(blank):
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 3)
    classes = [c for c in range(3) if c != blank]
    targets = [[classes[0], classes[0]], [classes[1]]]
    lengths = [5, 3]
    loss = CTCLoss()(logits, lengths, targets, blank=blank)
    log_probs = logits.log_softmax(-1)
    expected = sum(
        brute_force(log_probs[b, : lengths[b]], targets[b], blank) for b in range(2)
    )
    assert loss.item() == pytest.approx(expected / 2, rel=1e-5)


def test_infinite_is_zero_and_without_gradient():
    logits = torch.randn(2, 3, 4, requires_grad=True)
    # 1 1 needs a blank between: three steps; 1 1 1 needs five.
    loss = CTCLoss()(logits, [3, 3], [[1, 1, 1], [2]])
    alone = CTCLoss()(logits[1:], [3], [[2]])
    assert loss.item() == pytest.approx(alone.item() / 2, rel=1e-6)
    loss.backward()
    assert logits.grad[0].abs().max() == 0 and torch.isfinite(logits.grad).all()


def test_steps_needed():
    assert steps_needed([]) == 0
    assert steps_needed([1, 2, 1]) == 3
    assert steps_needed([1, 1, 1, 2]) == 6


def test_weight_and_empty_target():
    logits = torch.randn(1, 4, 3)
    plain = CTCLoss()(logits, [4], [[]])
    assert plain.item() == pytest.approx(-logits.log_softmax(-1)[0, :, 0].sum().item())
    assert CTCLoss(loss_weight=0.5)(logits, [4], [[]]).item() == pytest.approx(
        plain.item() / 2
    )


@examples(60)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=8))
def test_steps_needed_are_those_that_torch_needs(target):
    needed = steps_needed(target)
    for steps, finite in ((needed, True), (needed - 1, False)):
        if not steps:
            continue
        logits = torch.zeros(steps, 1, 4).log_softmax(-1)
        loss = torch.nn.functional.ctc_loss(
            logits, torch.tensor([target]), [steps], [len(target)]
        )
        assert bool(torch.isfinite(loss)) == finite
