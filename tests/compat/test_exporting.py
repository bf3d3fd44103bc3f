import io

import pytest
import torch
from torch import nn

from mmsign.compat import (
    is_exporting_onnx,
    require_free_export_lengths,
    torchscript_exporter,
)
from mmsign.errors import MissingPackageError


def test_the_option_is_given_where_it_is_known(monkeypatch):
    monkeypatch.setattr(torch.onnx, 'export', lambda model, *, dynamo=True: None)
    assert torchscript_exporter() == dict(dynamo=False)
    monkeypatch.setattr(torch.onnx, 'export', lambda model, opset_version: None)
    assert torchscript_exporter() == {}


def test_free_lengths_are_asked_for(monkeypatch):
    monkeypatch.setattr(torch.export, 'Dim', object, raising=False)
    require_free_export_lengths()
    monkeypatch.delattr(torch.export, 'Dim')
    with pytest.raises(MissingPackageError, match='torch'):
        require_free_export_lengths()


class Asks(nn.Module):
    def forward(self, x):
        self.answer = is_exporting_onnx()
        return x + 1


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_it_is_known_that_onnx_is_written():
    pytest.importorskip('onnx')
    asks, x = Asks(), torch.zeros(1)
    torch.onnx.export(asks, (x,), io.BytesIO(), **torchscript_exporter())
    assert asks.answer
    torch.jit.trace(asks, (x,))
    assert not asks.answer
    asks(x)
    assert not asks.answer
