import torch

from mmsign.models import LinearHead


def test_a_step_is_classified_by_itself():
    torch.manual_seed(0)
    head, x = LinearHead(6, num_classes=4), torch.rand(2, 5, 6)
    expected = x @ head.classifier.weight.T + head.classifier.bias
    logits, features = head.eval()(x)
    torch.testing.assert_close(logits, expected)
    assert features.equal(x)
    torch.testing.assert_close(head(x[:, 2:3])[0], logits[:, 2:3])


def test_dropout_is_of_training_alone():
    torch.manual_seed(0)
    head, x = LinearHead(64, num_classes=4, dropout=0.9), torch.ones(1, 3, 64)
    assert not head.train()(x)[0].equal(head.eval()(x)[0])
    assert LinearHead(64, 4, dropout=0.0).train()(x)[0].isfinite().all()


def test_it_computes_in_float32_under_autocast():
    head = LinearHead(8, num_classes=4)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        logits, _ = head(torch.rand(1, 3, 8, dtype=torch.bfloat16))
    assert logits.dtype == torch.float32
