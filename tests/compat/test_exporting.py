import torch

from mmsign.compat import torchscript_exporter


def test_the_option_is_given_where_it_is_known(monkeypatch):
    monkeypatch.setattr(torch.onnx, 'export', lambda model, *, dynamo=True: None)
    assert torchscript_exporter() == dict(dynamo=False)
    monkeypatch.setattr(torch.onnx, 'export', lambda model, opset_version: None)
    assert torchscript_exporter() == {}
