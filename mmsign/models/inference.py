"""Make a trained network fast: what training needs goes, what can be merged is.

Symbols: B clips, T frames.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.nn as nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils.fusion import fuse_conv_bn_weights

from mmsign import compat
from mmsign.errors import ConfigError

from .cuda_graphs import use_cuda_graphs
from .heads.temporal_head import PathwayTemporalHead
from .layers.volume import ConvTranspose3d, to_memory_format


def fold_batch_norms(model: nn.Module) -> int:
    """Merge each batch norm into the convolution before it, in place.

    In evaluation a batch norm multiplies and shifts every channel by constants; so
    does a convolution with other weights and a bias. Found are the pairs that stand
    one after the other in an ``nn.Sequential`` and those of MMCV's ``ConvModule``;
    all others stay. The result agrees to rounding, and can only be used for
    inference: its state dict has other keys.

    Args:
        model: In evaluation mode.

    Returns:
        How many were merged.

    Raises:
        ValueError: If a part of the model is in training mode, in which a batch
            norm is no constant.
    """
    if any(module.training for module in model.modules()):
        raise ConfigError(
            'fold_batch_norms: the model is in training mode; call model.eval() first'
        )
    folded = 0
    for parent in list(model.modules()):
        for conv_name, norm_name, after in _pairs(parent):
            conv, norm = parent._modules[conv_name], parent._modules[norm_name]
            transposed = isinstance(conv, _ConvTransposeNd)
            if (
                isinstance(conv, _ConvNd)
                and isinstance(norm, _BatchNorm)
                and norm.track_running_stats
                # Their output channels are in two places.
                and not (transposed and conv.groups > 1)
            ):
                statistics = norm.running_mean, norm.running_var, norm.eps
                settings = *statistics, norm.weight, norm.bias, transposed
                fused = fuse_conv_bn_weights(conv.weight, conv.bias, *settings)
                conv.weight, conv.bias = fused
                parent._modules[norm_name] = nn.Identity()
                folded += 1
                # Its input is nobody else's now; the module itself may be.
                if type(parent._modules.get(after)) is nn.ReLU:
                    parent._modules[after] = nn.ReLU(inplace=True)
    return folded


def _pairs(parent: nn.Module) -> Iterable[tuple[str, str, str | None]]:
    """Names of children of which each is applied to the output of the one before."""
    if isinstance(parent, nn.Sequential):
        names = list(parent._modules)
        return zip(names, names[1:], [*names[2:], None])
    norm = getattr(parent, 'norm_name', None)
    chained = getattr(parent, 'order', None) == ('conv', 'norm', 'act')
    return [('conv', norm, None)] if chained and norm is not None else []


def prepare_for_inference(
    model: nn.Module, dtype: torch.dtype | None = None, cuda_graphs: bool = False
) -> torch.dtype:
    """Make a recognizer as fast as its logits allow, in place.

    What is auxiliary goes, batch norms are folded, ReLUs behind them write in place,
    convolutions are laid out with the channels last and, in bfloat16, hold their
    weights in it. Run it within ``inference_context``.

    Args:
        model: A recognizer with its weights; it cannot be trained afterwards.
        dtype: ``torch.float32`` or ``torch.bfloat16``; None takes what the device
            computes fast in.
        cuda_graphs: Replay the streams, on a GPU; see ``use_cuda_graphs``.

    Returns:
        The dtype, for ``inference_context``.

    Raises:
        ConfigError: CUDA graphs are asked for without a GPU.
    """
    model.eval().requires_grad_(False)
    for stream in model.streams.values():
        stream.pyramid = stream.pyramid_head = None
    for head in model.heads.values():
        if isinstance(head, PathwayTemporalHead):
            head.pathways.clear()
    fold_batch_norms(model)
    if dtype is None:
        on_gpu = next(model.parameters()).is_cuda
        fast = compat.gpu_has_bfloat16() if on_gpu else compat.cpu_has_bfloat16()
        dtype = torch.bfloat16 if fast else torch.float32
    for module in model.modules():
        # Autocast would convert these weights anew in every call.
        if isinstance(module, _ConvNd) and module.weight.dim() == 5:
            module.to(dtype)
            if isinstance(module, ConvTranspose3d) and not module.weight.is_cuda:
                to_memory_format(module, torch.channels_last_3d)
    for stream in model.streams.values():
        if stream.memory_format is not None:
            stream.memory_format = torch.channels_last_3d
            to_memory_format(stream.backbone, torch.channels_last_3d)
    if cuda_graphs:
        use_cuda_graphs(model)
    return dtype


@contextmanager
def inference_context(device: torch.device | str, dtype: torch.dtype) -> Iterator[None]:
    """No gradients; autocast to ``dtype`` unless it is float32."""
    low = dtype != torch.float32
    with (
        torch.inference_mode(),
        torch.autocast(torch.device(device).type, torch.bfloat16, enabled=low),
    ):
        yield
