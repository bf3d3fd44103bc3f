import math

import pytest
import torch
import torch.nn.functional as F

from mmsign.errors import ConfigError
from mmsign.models.losses import (
    LabelSmoothingLoss,
    SelfDistillationLoss,
    TemperatureDistillationLoss,
)

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
