import torch
import torch.nn.functional as F

from mmsign.models.losses.self_distillation import SelfDistillationLoss


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
    assert outputs['keypoint'].grad is None
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
