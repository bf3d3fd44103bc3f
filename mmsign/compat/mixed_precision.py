"""Mixed precision on whatever the machine offers.

Answered fault: MMEngine's ``AmpOptimWrapper`` asserts that there is a GPU, although
autocast in bfloat16 works on a CPU and pays where the CPU multiplies bfloat16 in
hardware. Can go when the assertion is gone.
"""

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import torch
from mmengine.config import ConfigDict
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn

from mmsign.errors import ConfigError

_CPU_FLAGS = {'avx512_bf16', 'amx_bf16', 'avx_ne_convert', 'bf16'}


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Run the forward pass under autocast in bfloat16 where the machine has it.

    bfloat16 has float32's range, so that no loss scaling is needed; weights and
    optimizer state stay float32. By itself it asks for a GPU; a CPU trains in float32.
    """

    device = 'cuda'

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        used = self.device == 'cpu' or gpu_has_bfloat16()
        cast = torch.autocast(self.device, torch.bfloat16) if used else nullcontext()
        with super().optim_context(model), cast:
            yield


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(BFloat16OptimWrapper):
    """The same on a CPU, where it pays only with instructions for it: ``--amp``."""

    device = 'cpu'


_OWN = 'BFloat16OptimWrapper', 'CPUAmpOptimWrapper'


def gpu_has_bfloat16() -> bool:
    """Whether there is a GPU that computes in bfloat16."""
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()


def autocast_dtype(device_type: str) -> torch.dtype | None:
    """The dtype of the autocast region around the caller, ``None`` outside one.

    torch 2.4 asks for any device by name; before, the CPU had its own functions.

    Args:
        device_type: ``"cpu"``, ``"cuda"`` or ``"meta"``.
    """
    if device_type == 'meta':  # where shapes are tried; it has no autocast
        return None
    if hasattr(torch, 'get_autocast_dtype'):
        enabled = torch.is_autocast_enabled(device_type)
        return torch.get_autocast_dtype(device_type) if enabled else None
    if device_type == 'cpu':
        enabled = torch.is_autocast_cpu_enabled()
        return torch.get_autocast_cpu_dtype() if enabled else None
    return torch.get_autocast_gpu_dtype() if torch.is_autocast_enabled() else None


def without_autocast(device_type: str) -> AbstractContextManager:
    """A region in which dtypes stay as they come."""
    if autocast_dtype(device_type) is None:
        return nullcontext()
    return torch.autocast(device_type, enabled=False)


def cpu_has_bfloat16() -> bool | None:
    """Whether the CPU computes in bfloat16; ``None`` where Linux does not say."""
    cpuinfo = Path('/proc/cpuinfo')
    if not cpuinfo.is_file():
        return None
    for line in cpuinfo.read_text(encoding='utf-8', errors='replace').splitlines():
        name, _, value = line.partition(':')
        if name.strip().lower() in ('flags', 'features'):
            return not _CPU_FLAGS.isdisjoint(value.split())
    return None


def use_mixed_precision(optim_wrapper: ConfigDict) -> None:
    """Turn the config of an optimizer wrapper into one of mixed precision.

    On a GPU that is ``BFloat16OptimWrapper``, or ``AmpOptimWrapper`` in float16
    with dynamic loss scaling where the GPU has no bfloat16; on a CPU
    ``CPUAmpOptimWrapper``, or float32 and a warning where the CPU has no
    bfloat16 instructions.

    Raises:
        ValueError: the config names another kind of wrapper.
    """
    kind = optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper', *_OWN):
        raise ConfigError(
            f"--amp replaces OptimWrapper, but the config's optim_wrapper is {kind!r}"
        )
    if get_device() == 'cpu':
        optim_wrapper.type = 'CPUAmpOptimWrapper'
        for gpu_only in ('loss_scale', 'dtype', 'use_fsdp'):
            optim_wrapper.pop(gpu_only, None)
        if cpu_has_bfloat16() is False:
            optim_wrapper.type = 'OptimWrapper'
            warnings.warn(
                'this CPU has no bfloat16 instructions (AVX-512 BF16 or AMX), which '
                'mixed precision needs to pay: training in float32',
                stacklevel=2,
            )
    elif gpu_has_bfloat16() and kind != 'AmpOptimWrapper':
        optim_wrapper.type = 'BFloat16OptimWrapper'
    else:
        optim_wrapper.type = 'AmpOptimWrapper'
        optim_wrapper.setdefault('loss_scale', 'dynamic')
        dtype = 'bfloat16' if gpu_has_bfloat16() else 'float16'
        optim_wrapper.setdefault('dtype', dtype)
