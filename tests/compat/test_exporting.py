import pytest
import torch

from mmsign.compat import require_free_export_lengths, torchscript_exporter
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
