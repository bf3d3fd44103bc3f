import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign.errors import ConfigError
from mmsign.models.losses import (
    CTCLoss,
    LabelSmoothingLoss,
    SelfDistillationLoss,
    TemperatureDistillationLoss,
)
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


PAD = 1


def test_is_the_divergence_from_the_smoothed_target():
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 7)
    targets = torch.tensor([[4, 5, 2], [6, 2, PAD]])
    expected = 0.0
    for row, tokens in zip(logits.log_softmax(-1), targets.tolist()):
        for log_probs, token in zip(row, tokens):
            if token == PAD:
                continue
            for index in range(7):
                target = 0.8 if index == token else 0.2 / 5
                if index != PAD:
                    expected += target * (math.log(target) - float(log_probs[index]))
    loss = LabelSmoothingLoss(0.2)(logits, targets, PAD)
    assert float(loss) == pytest.approx(expected / 2, rel=1e-5)
    doubled = LabelSmoothingLoss(0.2, loss_weight=2.0)(logits, targets, PAD)
    assert float(doubled) == pytest.approx(expected, rel=1e-5)


def test_a_perfect_prediction_costs_nothing():
    target = torch.full((1, 1, 7), 0.2 / 5)
    target[..., 4], target[..., PAD] = 0.8, 1e-9
    loss = LabelSmoothingLoss(0.2)(target.log(), torch.tensor([[4]]), PAD)
    assert float(loss) == pytest.approx(0, abs=1e-5)


def test_without_smoothing_it_is_the_cross_entropy():
    logits, targets = torch.randn(1, 4, 9), torch.tensor([[3, 4, 2, PAD]])
    loss = LabelSmoothingLoss(0.0)(logits, targets, PAD)
    expected = F.cross_entropy(logits[0], targets[0], ignore_index=PAD, reduction='sum')
    torch.testing.assert_close(loss, expected)


def test_padding_has_no_gradient():
    logits = torch.randn(1, 2, 5, requires_grad=True)
    LabelSmoothingLoss()(logits, torch.tensor([[2, PAD]]), PAD).backward()
    assert logits.grad[0, 0].abs().sum() > 0
    assert logits.grad[0, 1].abs().sum() == 0


def test_smoothing_must_be_a_share():
    with pytest.raises(ValueError, match=r'smoothing must lie in \[0, 1\), not 1'):
        LabelSmoothingLoss(1)


def logits(seed: int = 0) -> dict:
    torch.manual_seed(seed)
    return {name: torch.randn(2, 6, 5) for name in ('video', 'keypoint', 'joint')}


def test_equals_kl_divergence_on_valid_steps():
    outputs, lengths = logits(), torch.tensor([6, 2])
    terms = SelfDistillationLoss()(outputs, lengths)
    teacher = sum(x.softmax(-1) for x in outputs.values()) / 3
    for name, x in outputs.items():
        kl = F.kl_div(x.log_softmax(-1), teacher, reduction='none').sum(-1)
        expected = (kl[0].sum() + kl[1, :2].sum()) / 2
        torch.testing.assert_close(terms[name], expected)


def test_teacher_is_not_trained_and_padding_has_no_gradient():
    outputs = {name: x.requires_grad_() for name, x in logits().items()}
    lengths = torch.tensor([6, 2])
    SelfDistillationLoss()(outputs, lengths)['video'].backward()
    assert outputs['keypoint'].grad.abs().max() == 0
    assert outputs['video'].grad[1, 2:].abs().max() == 0
    probabilities = outputs['video'].detach().softmax(-1)
    teacher = sum(x.detach().softmax(-1) for x in outputs.values()) / 3
    expected = (probabilities - teacher)[0] / 2
    torch.testing.assert_close(outputs['video'].grad[0], expected)


def test_agreeing_heads_have_no_loss():
    same = logits()['video']
    terms = SelfDistillationLoss(loss_weight=3)(
        dict(video=same, keypoint=same), torch.tensor([6, 6])
    )
    assert all(abs(float(term)) < 1e-5 for term in terms.values())


def test_padded_steps_count_where_they_are_asked_to():
    outputs = logits()
    every = SelfDistillationLoss()(outputs, torch.tensor([6, 6]))
    counted = SelfDistillationLoss(count_padding=True)(outputs, torch.tensor([6, 2]))
    torch.testing.assert_close(counted, every)


@pytest.mark.parametrize('blank', [0, 2])
def test_temperature_distillation_is_the_mean_divergence_of_the_glosses(blank):
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 2, 5, 4).mul(3).unbind()
    student.requires_grad_()
    teacher.requires_grad_()
    lengths = torch.tensor([5, 2])
    loss = TemperatureDistillationLoss(temperature=4.0, loss_weight=2.0)
    found = loss(student, teacher, lengths, blank)
    glosses = [index for index in range(4) if index != blank]
    rows = []
    for clip, length in enumerate([5, 2]):
        for step in range(length):
            p = (teacher[clip, step, glosses] / 4).softmax(-1)
            q = (student[clip, step, glosses] / 4).softmax(-1)
            rows.append((p * (p / q).log()).sum())
    torch.testing.assert_close(found, 2 * 16 * torch.stack(rows).mean())
    found.backward()
    assert teacher.grad is None and student.grad[1, :2].any()
    assert not student.grad[..., blank].any() and not student.grad[1, 2:].any()
    # Without lengths every step counts.
    assert loss(student, teacher) != loss(student, teacher, lengths)
    with pytest.raises(ConfigError, match='temperature'):
        TemperatureDistillationLoss(temperature=0)
