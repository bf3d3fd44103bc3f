import pytest
import torch

from mmsign.errors import ConfigError
from mmsign.models.layers.classifiers import build_classifier


def test_a_factored_classifier_decides_first_whether_then_which():
    torch.manual_seed(0)
    layer, x = build_classifier('factored', 6, 5), torch.randn(2, 3, 6)
    plain = x @ layer.weight.T + layer.bias
    silence, which = plain[..., 0].sigmoid(), plain[..., 1:].softmax(-1)
    found = layer(x).softmax(-1)
    torch.testing.assert_close(found[..., 0], silence)
    torch.testing.assert_close(found[..., 1:], (1 - silence)[..., None] * which)


def test_silence_does_not_depend_on_which_sign_it_would_be():
    torch.manual_seed(0)
    layer, x = build_classifier('factored', 6, 5), torch.randn(2, 3, 6)
    layer(x).softmax(-1)[..., 0].sum().backward()
    assert layer.weight.grad[0].abs().max() > 0.1
    assert layer.weight.grad[1:].abs().max() < 1e-6


def test_a_normalised_classifier_does_not_see_the_length_of_its_weights():
    layer, x = build_classifier('normalised', 8, 5), torch.randn(2, 3, 8)
    before = layer(x)
    layer.weight.data *= torch.tensor([1, 2, 3, 4, 5])[:, None]
    torch.testing.assert_close(layer(x), before)


@pytest.mark.parametrize('name', ['linear', 'normalised', 'factored'])
def test_shapes(name):
    assert build_classifier(name, 4, 3)(torch.randn(2, 5, 4)).shape == (2, 5, 3)
    assert build_classifier(name, 4, 1)(torch.randn(2, 4)).shape == (2, 1)


def test_refuses_another_name():
    with pytest.raises(ConfigError, match="'cosine' must be one of"):
        build_classifier('cosine', 4, 3)
