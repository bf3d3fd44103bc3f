"""The stage contract: any backbone as an ordered list of stages.

A stage is a callable (B, C, T, H, W) → (B, C', T', H', W'); running all stages
of a backbone one after the other is exactly ``backbone(x)``. What the
connections, the pyramid and the heads need to know of a stage (channels and
output size) is found by one dry run, never typed.

A backbone says what its stages are in one of three ways: it has a method
``stages()``; its family has an adapter (the other modules of this package); or
neither, and then it is one single stage.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn as nn
from torch import Tensor

from mmsign.errors import ConfigError

Stage = Callable[[Tensor], Tensor]
# Divisible by every time stride and window that MMAction2's backbones have, so
# that the ratio of lengths is the stride.
DRY_RUN_FRAMES = 64


@dataclass(frozen=True)
class StageInfo:
    """What one stage puts out.

    Attributes:
        channels: Output channels.
        time_stride: Input frames per output step.
        size: (height, width) of the output in pixels.
    """

    channels: int
    time_stride: int
    size: tuple[int, int]


class _Adapter(NamedTuple):
    """How a family is walked; as it stands, one single stage."""

    stages: Callable[[nn.Module], Sequence[Stage]] = lambda backbone: [backbone]
    input_tensors: Callable[[str], bool] = lambda name: False
    renamed: Callable[[str], str] = lambda name: name


_ADAPTERS: dict[type[nn.Module], _Adapter] = {}


def stage_adapter(
    family: type[nn.Module],
    input_tensors: Callable[[str], bool] = lambda name: False,
    renamed: Callable[[str], str] = lambda name: name,
):
    """Register a function backbone → stages for a class and its descendants.

    A descendant with a ``forward`` of its own is not walked by it, since its
    stages may be others; it needs an adapter of its own.

    Args:
        family: The class.
        input_tensors: Whether the tensor of a name has a shape that follows from
            the input, besides the first convolution's.
        renamed: The family's name of a tensor of the weights that others publish;
            its own names stay.
    """

    def register(stages: Callable[[nn.Module], Sequence[Stage]]):
        _ADAPTERS[family] = _Adapter(stages, input_tensors, renamed)
        return stages

    return register


def _adapter(backbone: nn.Module) -> _Adapter:
    for base in type(backbone).__mro__:
        if base in _ADAPTERS and type(backbone).forward is base.forward:
            return _ADAPTERS[base]
    return _Adapter()


def backbone_stages(backbone: nn.Module) -> list[Stage]:
    """The stages of a backbone, to be run in order, each once.

    A backbone without ``stages()`` and without adapter is one single stage: it
    works, without connections inside.
    """
    own = getattr(backbone, 'stages', None)
    return list(own() if callable(own) else _adapter(backbone).stages(backbone))


def input_tensors(backbone: nn.Module) -> set[str]:
    """Names of the tensors whose shape follows from the backbone's input.

    The first convolution's weight and, of a graph network, what has one entry
    per keypoint. Weights trained on another kind of input fit all others.
    """
    name, _ = _first_convolution(backbone)
    follows = _adapter(backbone).input_tensors
    first = f'{name}.weight'.lstrip('.')
    return {key for key in backbone.state_dict() if key == first or follows(key)}


def own_names(backbone: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors that others publish for a backbone's family, under its own names."""
    renamed = _adapter(backbone).renamed
    return {renamed(name): value for name, value in tensors.items()}


def _first_convolution(backbone: nn.Module) -> tuple[str, nn.Module | None]:
    modules = backbone.named_modules()
    found = (pair for pair in modules if isinstance(pair[1], (nn.Conv2d, nn.Conv3d)))
    return next(found, ('', None))


def describe_stages(
    backbone: nn.Module, in_channels: int, size: tuple[int, int]
) -> list[StageInfo]:
    """Find channels, time stride and output size of each stage by a dry run.

    The run computes shapes only, where the backbone allows it, and then takes
    neither time nor memory.

    Args:
        backbone: A built backbone.
        in_channels: Channels of its input.
        size: (height, width) of its input in pixels.

    Returns:
        One ``StageInfo`` per stage.

    Raises:
        ConfigError: If the backbone refuses the input, or a stage's output is
            not five-dimensional.

    Examples:
        >>> from mmsign.models import S3D
        >>> for stage in describe_stages(S3D(width=0.125), 3, (64, 64)):
        ...     print(stage)
        StageInfo(channels=8, time_stride=2, size=(32, 32))
        StageInfo(channels=24, time_stride=2, size=(16, 16))
        StageInfo(channels=64, time_stride=2, size=(8, 8))
        StageInfo(channels=104, time_stride=4, size=(4, 4))
    """
    shape = 1, in_channels, DRY_RUN_FRAMES, *size
    try:
        with shapes_only(backbone):
            return _walk(backbone, torch.zeros(shape, device='meta'))
    except Exception:
        # What the shapes alone cannot tell, the numbers do; a fault of the input
        # is found again, with its own message.
        with _evaluating(backbone):
            return _walk(backbone, torch.zeros(shape))


def _walk(backbone: nn.Module, x: Tensor) -> list[StageInfo]:
    infos, shape = [], tuple(x.shape)
    for index, stage in enumerate(backbone_stages(backbone)):
        try:
            x = stage(x)
        except Exception as error:  # whatever a foreign network raises
            raise ConfigError(_refusal(backbone, shape, index, error)) from error
        if not isinstance(x, Tensor) or x.dim() != 5:
            got = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise ConfigError(
                f'stage {index} of {type(backbone).__name__} must return '
                f'(B, C, T, H, W): {got}'
            )
        stride = max(1, round(shape[2] / x.shape[2]))
        infos.append(StageInfo(x.shape[1], stride, tuple(map(int, x.shape[3:]))))
    return infos


def _refusal(
    backbone: nn.Module, shape: tuple[int, ...], index: int, error: Exception
) -> str:
    _, channels, _, height, width = shape
    _, first = _first_convolution(backbone)
    name = type(backbone).__name__
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    if first is not None and first.in_channels != channels:
        if index == 0:
            reason = f'its first convolution takes {first.in_channels} channels'
    elif isinstance(first, nn.Conv2d) and backbone_stages(backbone) == [backbone]:
        return (
            f'{name} is a network for single frames (B, C, H, W): name '
            f"backbone=dict(type='FramewiseBackbone', backbone=dict(type={name!r}, …))"
        )
    return (
        f'{name} cannot take an input of {channels} channels and {height}×{width} '
        f'pixels (stage {index}: {reason})'
    )


@contextmanager
def shapes_only(module: nn.Module) -> Iterator[None]:
    """Within, ``module`` is in evaluation mode and its tensors have no values.

    Everything it computes from a tensor on the device ``meta`` then has a shape
    and costs neither time nor memory. Afterwards it is as it was.
    """
    kept = []
    for child in module.modules():
        for tensors in (child._parameters, child._buffers):
            kept.append((tensors, dict(tensors)))
            for name, tensor in tensors.items():
                if tensor is not None:
                    tensors[name] = torch.empty_like(tensor, device='meta')
    try:
        with _evaluating(module):
            yield
    finally:
        for tensors, values in kept:
            tensors.update(values)


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    modes = {child: child.training for child in module.modules()}
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for child, training in modes.items():
            child.training = training


def without_values(build: Callable[[], nn.Module]) -> nn.Module:
    """A network to look at: without values where it can be built so.

    Networks that compute numbers while they are built (a rate of stochastic depth
    per layer, say) are built as usual.
    """
    try:
        with torch.device('meta'):
            return build()
    except (RuntimeError, NotImplementedError):
        return build()
