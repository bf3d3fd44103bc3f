"""Exporters of torch: which of those to ONNX is taken, what torch.export can.

``torch.onnx.export`` changed its default from the exporter built on TorchScript, which
needs no package besides ``onnx``, to one built on ``torch.export``; before torch 2.5
there is nothing to choose, and the option is unknown.
"""

import inspect

import torch

from mmsign.errors import MissingPackageError


def torchscript_exporter() -> dict[str, bool]:
    """Arguments of ``torch.onnx.export`` that choose the one built on TorchScript."""
    known = inspect.signature(torch.onnx.export).parameters
    return dict(dynamo=False) if 'dynamo' in known else {}


is_compiling = getattr(torch.compiler, 'is_compiling', lambda: False)
"""``torch.compiler.is_compiling``; before torch 2.2, which lacks it, never."""


def require_free_export_lengths() -> None:
    """Raise unless ``torch.export`` knows sizes that stay free.

    Raises:
        ImportError: With torch 2.1.
    """
    if not hasattr(torch.export, 'Dim'):
        raise MissingPackageError(
            f'torch {torch.__version__} cannot export with a free clip length; '
            'torch 2.2 and later can'
        )
