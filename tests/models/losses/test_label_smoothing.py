from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from mmsign.models import LabelSmoothingLoss

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
