"""The paper authors' checkpoint files, read into our names and written back.

A published file is ``{'model_state': {name: tensor}}``; the Kinetics-400 weights
of the S3D are a flat ``{name: tensor}``. Names: ``slrt_names`` and
``models.backbones.s3d_names``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mmsign import compat
from mmsign.errors import CheckpointError
from mmsign.models.backbones.s3d_names import block_to_flat, flat_to_block

from .slrt_names import POSITION_TABLE, PREFIX, ours_to_slrt, slrt_to_ours

# Rows of the position tables in the authors' files.
POSITIONS = 5000
# How far a table of float32 sines may lie from ours: at position 5000 the
# rounding of the angle alone makes 3e-4.
_TABLE_TOLERANCE = 1e-3
SHOWN = 5


@dataclass(frozen=True)
class Converted:
    """Tensors of a foreign file under our names.

    Attributes:
        tensors: Our name → tensor.
        sources: Our name → name in the file.
        left_out: Name in the file → why it is not needed.
    """

    tensors: dict[str, Tensor]
    sources: dict[str, str]
    left_out: dict[str, str] = field(default_factory=dict)


def read_state(path: str | os.PathLike) -> dict[str, Tensor]:
    """The named tensors of a checkpoint, the authors' or ours.

    Prefixes ``module.`` of data-parallel wrappers are removed.

    Raises:
        FileNotFoundError, CheckpointError: As ``compat.load_checkpoint``.
        CheckpointError: If the file holds no named tensors.
    """
    loaded = compat.load_checkpoint(path)
    for key in ('model_state', 'state_dict'):
        if isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
            break
    state = {
        name.removeprefix('module.'): value
        for name, value in loaded.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }
    if not state:
        raise CheckpointError(
            f'{path} holds no named tensors: expected model_state, state_dict or a '
            'flat dictionary of tensors'
        )
    return state


def is_s3d_state(state: Mapping[str, Tensor]) -> bool:
    """Whether these are the weights of an S3D alone, as published for Kinetics."""
    return any(flat_to_block(name) for name in state) and all(
        flat_to_block(name) or name.startswith('fc.') for name in state
    )


def convert_s3d(state: Mapping[str, Tensor]) -> Converted:
    """Published S3D weights under the names of our ``S3D``."""
    renamed = {name: flat_to_block(name) for name in state}
    return Converted(
        tensors={ours: state[name] for name, ours in renamed.items() if ours},
        sources={ours: name for name, ours in renamed.items() if ours},
        left_out={
            name: 'the classifier of the Kinetics classes'
            for name, ours in renamed.items()
            if not ours
        },
    )


def convert_recognizer(
    state: Mapping[str, Tensor], sinusoid: Callable[[int, int], Tensor]
) -> Converted:
    """The recognition network of an authors' file under our recognizer's names.

    Args:
        state: As ``read_state`` returns it.
        sinusoid: (length, channels) → the table of positions.

    Raises:
        CheckpointError: If a table of positions is not the sinusoid that
            our heads compute, or two tensors have one name of ours.
    """
    converted = Converted({}, {})
    for name, tensor in state.items():
        ours = slrt_to_ours(name)
        if ours is not None:
            if ours in converted.sources:
                raise CheckpointError(
                    f'{name} and {converted.sources[ours]} are both {ours} of a '
                    'recognizer: the file holds two networks. Split it first'
                )
            converted.tensors[ours] = tensor
            converted.sources[ours] = name
        elif name.endswith(POSITION_TABLE):
            _check_positions(name, tensor, sinusoid)
            converted.left_out[name] = 'position table, computed instead of stored'
        else:
            converted.left_out[name] = 'no such tensor in the recognition network'
    return converted


def _check_positions(
    name: str, table: Tensor, sinusoid: Callable[[int, int], Tensor]
) -> None:
    if table.dim() == 3 and table.shape[0] == 1:
        expected = sinusoid(*table.shape[1:])
        if (table[0].float() - expected).abs().max() <= _TABLE_TOLERANCE:
            return
    raise CheckpointError(
        f'{name} of shape {tuple(table.shape)} is not the sinusoid that our heads '
        'compute: the file is of another network'
    )


def select_backbone(converted: Converted, stream: str) -> Converted:
    """The S3D of one stream, named as our ``S3D`` names it."""
    prefix = f'{stream}.backbone.'
    kept = {n: n[len(prefix) :] for n in converted.tensors if n.startswith(prefix)}
    if not kept:
        raise CheckpointError(f'the file has no backbone of a {stream} stream')
    return Converted(
        tensors={short: converted.tensors[name] for name, short in kept.items()},
        sources={short: converted.sources[name] for name, short in kept.items()},
        left_out=converted.left_out
        | {
            source: f'not part of the {stream} backbone'
            for name, source in converted.sources.items()
            if name not in kept
        },
    )


def fit(
    converted: Converted,
    target: Mapping[str, Tensor],
    optional: Callable[[str], bool] = lambda name: False,
    network: str = 'the network',
) -> tuple[dict[str, Tensor], dict[str, str], dict[str, str]]:
    """Hold the tensors of a file against the tensors of a network.

    Args:
        converted: The file.
        target: State dict of the network; only names and shapes are looked at.
        optional: Tensors that inference does not need.
        network: What the network was built from, for messages.

    Returns:
        The state to save; name in the file → why it was not used; name in the
        network → why it was not filled.

    Raises:
        CheckpointError: Naming the tensors, if shapes differ, or if one
            side lacks tensors that inference needs.
    """
    tensors, sources = converted.tensors, converted.sources
    wrong = [n for n in target if n in tensors and tensors[n].shape != target[n].shape]
    if wrong:
        shown = '; '.join(
            f'{sources[n]} has shape {tuple(tensors[n].shape)}, {n} of {network} '
            f'{tuple(target[n].shape)}'
            for n in wrong[:SHOWN]
        )
        raise CheckpointError(
            f'{len(wrong)} tensors have other shapes: {shown}. Use a config with the '
            "file's sizes, or leave out --config to take them from the file"
        )
    state, unfilled = {}, {}
    for name in target:
        if name in tensors:
            state[name] = tensors[name]
        elif name.endswith('num_batches_tracked'):
            state[name] = torch.zeros((), dtype=torch.int64)
            unfilled[name] = 'a counter that old files lack; set to 0'
        elif optional(name):
            unfilled[name] = 'needed for training only, stays random'
    missing = [n for n in target if n not in state and n not in unfilled]
    if missing:
        raise CheckpointError(
            f'{network} needs {len(missing)} tensors that the file lacks: '
            f'{_some(missing)}. Use a config without these parts, or the file of the '
            'whole network'
        )
    extra = [n for n in tensors if n not in target]
    lost = [n for n in extra if not optional(n)]
    if lost:
        raise CheckpointError(
            f'the file has {len(lost)} tensors that {network} has no place for: '
            f'{_some([sources[n] for n in lost])}. The result would be another '
            'network than was trained: use a config with these parts'
        )
    unused = converted.left_out | {
        sources[n]: f'a part for training that {network} does not have' for n in extra
    }
    return state, unused, unfilled


def to_slrt(
    state: Mapping[str, Tensor], sinusoid: Callable[[int, int], Tensor]
) -> dict[str, Tensor]:
    """Our recognizer's tensors under the authors' names, with position tables.

    Raises:
        CheckpointError: Naming tensors that their network does not have.
    """
    two_stream = all(
        any(name.startswith(f'{stream}.') for name in state)
        for stream in ('video', 'keypoint')
    )
    renamed = {name: ours_to_slrt(name, two_stream) for name in state}
    _refuse_unnamed(renamed)
    result: dict[str, Tensor] = {}
    tables: dict[int, Tensor] = {}
    for name, theirs in renamed.items():
        result[theirs] = state[name]
        head = theirs.removesuffix('bn1.norm.num_batches_tracked')
        if head != theirs:
            # Where their heads have it: after the norm.
            width = state[name.replace('num_batches_tracked', 'weight')].shape[0]
            if width not in tables:
                tables[width] = sinusoid(POSITIONS, width)[None]
            result[head + POSITION_TABLE] = tables[width]
    return result


def to_published_s3d(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our S3D's tensors under the names of the published weights."""
    renamed = {name: block_to_flat(name) for name in state}
    _refuse_unnamed(renamed)
    return {f'module.{theirs}': state[name] for name, theirs in renamed.items()}


def _refuse_unnamed(renamed: Mapping[str, str | None]) -> None:
    unnamed = [name for name, theirs in renamed.items() if theirs is None]
    if unnamed:
        raise CheckpointError(
            f"the authors' network has no place for {len(unnamed)} of "
            f'{len(renamed)} tensors: {_some(unnamed)}. Only networks of S3D '
            "backbones with mmsign's own necks and heads can be written for it"
        )


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ', '.join(names[:SHOWN]) + (f' and {more} more' if more > 0 else '')


def is_slrt_name(name: str) -> bool:
    """Whether a tensor's name is one of the authors' files."""
    return name.startswith(PREFIX) or slrt_to_ours(name) is not None
