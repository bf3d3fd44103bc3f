import itertools

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign.models.losses import CTCLoss
from mmsign.vocab import steps_needed


def brute_force(log_probs, target, blank) -> torch.Tensor:
    """−ln Σ p(path) over all paths that spell ``target``."""
    steps, classes = log_probs.shape
    paths = [
        path
        for path in itertools.product(range(classes), repeat=steps)
        if [c for c, _ in itertools.groupby(path) if c != blank] == target
    ]
    of_paths = torch.stack([log_probs[range(steps), path].sum() for path in paths])
    return -of_paths.logsumexp(0)


@pytest.mark.parametrize('blank', [0, 2])
def test_equals_the_sum_over_all_paths(blank):
    torch.manual_seed(0)
    logits = torch.randn(3, 5, 3, dtype=torch.float64, requires_grad=True)
    classes = [c for c in range(3) if c != blank]
    targets = [[classes[0], classes[0]], [classes[1]], []]
    lengths = [5, 3, 4]
    loss = CTCLoss()(logits, lengths, targets, blank=blank)
    (found,) = torch.autograd.grad(loss, logits)
    expected = sum(
        brute_force(row[:n].log_softmax(-1), target, blank)
        for row, n, target in zip(logits, lengths, targets)
    )
    torch.testing.assert_close(loss, expected / 3)
    torch.testing.assert_close(found, *torch.autograd.grad(expected / 3, logits))


@examples(60)
@given(st.data())
def test_is_pytorchs_for_every_output_at_once(data):
    # Values and gradients of outputs of several lengths, also where the target
    # cannot be aligned or nothing is valid.
    clips = data.draw(st.integers(1, 3))
    counts = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    lengths = [[data.draw(st.integers(0, n)) for _ in range(clips)] for n in counts]
    classes = st.integers(0, 4).filter(lambda c: c != blank)
    blank = data.draw(st.sampled_from([0, 3]))
    targets = [data.draw(st.lists(classes, max_size=4)) for _ in range(clips)]
    generator = torch.Generator().manual_seed(0)
    outputs = [
        torch.randn(clips, n, 5, generator=generator).double().requires_grad_()
        for n in counts
    ]
    factors = torch.arange(1.0, 1 + len(counts))
    with torch.autocast('cpu', torch.bfloat16):
        losses = CTCLoss(0.5)(outputs, lengths, targets, blank)
    (torch.stack(losses) * factors).sum().backward()
    for output, valid, loss, factor in zip(outputs, lengths, losses, factors):
        leaf = output.detach().clone().requires_grad_()
        expected = 0
        for row, n, target in zip(leaf, valid, targets):
            if n:
                expected = expected + F.ctc_loss(
                    row[:n].log_softmax(-1),
                    torch.tensor(target, dtype=torch.long),
                    [n],
                    [len(target)],
                    blank,
                    'sum',
                    zero_infinity=True,
                )
        expected = 0.5 * expected / clips
        assert loss.dtype == torch.float64
        torch.testing.assert_close(loss, torch.as_tensor(expected, dtype=loss.dtype))
        if any(valid):
            (expected * factor).backward()
            torch.testing.assert_close(output.grad, leaf.grad, rtol=1e-9, atol=1e-9)
        else:
            assert output.grad.abs().max() == 0


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
