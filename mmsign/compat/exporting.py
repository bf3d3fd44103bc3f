"""Which of torch's exporters to ONNX is taken.

``torch.onnx.export`` changed its default from the exporter built on TorchScript, which
needs no package besides ``onnx``, to one built on ``torch.export``; before torch 2.5
there is nothing to choose, and the option is unknown.
"""

from __future__ import annotations

import inspect

import torch


def torchscript_exporter() -> dict[str, bool]:
    """Arguments of ``torch.onnx.export`` that choose the one built on TorchScript."""
    known = inspect.signature(torch.onnx.export).parameters
    return dict(dynamo=False) if 'dynamo' in known else {}
