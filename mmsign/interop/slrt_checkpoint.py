"""The paper authors' checkpoint files, read into our names and written back.

A published file is ``{'model_state': {name: tensor}}``; the Kinetics-400 weights
of the S3D are a flat ``{name: tensor}``. Names: ``slrt_names`` and
``models.backbones.s3d``.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mmsign import compat
from mmsign.errors import CheckpointError
from mmsign.models.backbones.s3d import block_to_flat, flat_to_block
from mmsign.models.layers.sequence import sinusoid
from mmsign.models.weights import Weights
from mmsign.vocab import GlossVocabulary, read_slrt_vocabulary

from .slrt_corpus import is_pickle
from .slrt_names import (
    POINT_TABLE,
    POSITION_TABLE,
    PREFIX,
    ZEROS,
    ours_to_slrt,
    slrt_to_ours,
)

# Rows of the position tables in the authors' files.
POSITIONS = 5000
# How far a table of float32 sines may lie from ours: at position 5000 the
# rounding of the angle alone makes 3e-4.
_TABLE_TOLERANCE = 1e-3
_COUNTER = 'num_batches_tracked'

State = Mapping[str, Tensor]
Rename = Callable[[str], str | None]


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
    left_out: dict[str, str]


def read_state(path: str | os.PathLike) -> dict[str, Tensor]:
    """The named tensors of a checkpoint, the authors' or ours.

    Prefixes ``module.`` of data-parallel wrappers are removed.

    Raises:
        FileNotFoundError, CheckpointError: As ``compat.load_checkpoint``.
        CheckpointError: If the file holds no named tensors.
    """
    loaded = compat.load_checkpoint(path)
    places = ('model_state', 'model_state_dict', 'state_dict')
    places = (*map(loaded.get, places), loaded)
    loaded = next(place for place in places if isinstance(place, Mapping))
    state = {
        name.removeprefix('module.'): value
        for name, value in loaded.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }
    if not state:
        raise CheckpointError(f'{path} holds no tensors, in model_state or state_dict')
    return state


def is_slrt_name(name: str) -> bool:
    """Whether a tensor's name is one of the authors' files."""
    return name.startswith(PREFIX) or slrt_to_ours(name) is not None


def is_s3d_state(state: State) -> bool:
    """Whether these are the weights of an S3D alone, as published for Kinetics."""
    named = [flat_to_block(name) for name in state if not name.startswith('fc.')]
    return bool(named) and None not in named


def renamed(state: State, rename: Rename, reason: str) -> Converted:
    """Tensors under other names.

    Args:
        state: Name → tensor.
        rename: Name → the other name; None for what is left out.
        reason: Why it is left out.

    Raises:
        CheckpointError: If two tensors get one name.
    """
    sources: dict[str, str] = {}
    left_out = {}
    for name in state:
        ours = rename(name)
        if ours is None:
            left_out[name] = reason
        elif sources.setdefault(ours, name) != name:
            raise CheckpointError(
                f'{name} and {sources[ours]} are both {ours}: split the two networks'
            )
    tensors = {ours: state[name] for ours, name in sources.items()}
    return Converted(tensors, sources, left_out)


def convert_s3d(state: State) -> Converted:
    """Published S3D weights under the names of our ``S3D``."""
    return renamed(state, flat_to_block, 'the classifier of the Kinetics classes')


def convert_recognizer(state: State) -> Converted:
    """The recognition network of an authors' file under our recognizer's names.

    Raises:
        CheckpointError: If a table of positions is not the sinusoid that our
            network computes, an attention mask of MSKA is not zero, or two tensors
            have one name of ours.
    """
    converted = renamed(state, slrt_to_ours, 'not of the recognition network')
    for name in converted.left_out:
        if name.endswith((POSITION_TABLE, POINT_TABLE)):
            table, shape = state[name].float(), tuple(state[name].shape)
            if name.endswith(POINT_TABLE) and len(shape) == 4:
                # (1, C, T, V), the same for every frame.
                same = bool((table == table[:, :, :1]).all())
                table = table[:, :, 0].transpose(1, 2) if same else table
            if table.dim() != 3 or not torch.allclose(
                table[0], sinusoid(*table.shape[1:]), rtol=0, atol=_TABLE_TOLERANCE
            ):
                text = 'is not the sinusoid of our network'
                raise CheckpointError(f'{name} {shape} {text}')
            converted.left_out[name] = 'position table, computed instead of stored'
        elif name.endswith(ZEROS):
            if state[name].any():
                raise CheckpointError(f'{name} is not zero: MSKA adds nothing there')
            converted.left_out[name] = 'zeros, added to the attention'
    return converted


def select_backbone(converted: Converted, stream: str) -> Converted:
    """The backbone of one stream, named as it names its tensors itself."""
    prefix = f'{stream}.backbone.'
    part = Converted({}, {}, dict(converted.left_out))
    for name, source in converted.sources.items():
        if name.startswith(prefix):
            part.tensors[name.removeprefix(prefix)] = converted.tensors[name]
            part.sources[name.removeprefix(prefix)] = source
        else:
            part.left_out[source] = f'not part of the {stream} backbone'
    if not part.tensors:
        raise CheckpointError(f'the file has no backbone of a {stream} stream')
    return part


def fit(
    converted: Converted,
    needed: State,
    optional: Callable[[str], bool] = lambda name: False,
    network: str = 'the network',
    source: str = 'the file',
) -> tuple[dict[str, Tensor], dict[str, str], dict[str, str]]:
    """Hold the tensors of a file against the tensors of a network.

    Args:
        converted: The file.
        needed: State dict of the network; only names and shapes are looked at.
        optional: Tells of a tensor's name whether inference does without it.
        network: What the network was built from, for messages.
        source: Name of the file, likewise.

    Returns:
        The state to save; name in the file → why it was not used; name in the
        network → why it was not filled.

    Raises:
        CheckpointError: Naming the tensors, if shapes differ, or if one
            side lacks tensors that inference needs.
    """
    what = f'{network} (take the sizes and parts of the file, or leave out --config)'
    state = Weights(converted.tensors, source).fitting(
        needed, what, lambda name: optional(name) or name.endswith(_COUNTER)
    )
    unfilled = {n: 'for training only, stays random' for n in needed if n not in state}
    for name in unfilled:
        if name.endswith(_COUNTER):
            state[name] = torch.zeros((), dtype=torch.int64)
            unfilled[name] = 'a counter that old files lack; set to 0'
    extra = {n: name for n, name in converted.sources.items() if n not in needed}
    if lost := [name for ours, name in extra.items() if not optional(ours)]:
        raise CheckpointError(
            f'{network} has no place for {len(lost)} tensors of {source} (first: '
            f'{lost[:3]}): use a config with these parts'
        )
    unused = dict.fromkeys(extra.values(), f'for training only, not in {network}')
    return state, converted.left_out | unused, unfilled


def to_slrt(state: State) -> dict[str, Tensor]:
    """Our recognizer's tensors under the authors' names, with position tables.

    Raises:
        CheckpointError: Naming tensors that their network does not have.
    """
    two_stream = {'video', 'keypoint'} <= {name.partition('.')[0] for name in state}
    result: dict[str, Tensor] = {}
    tables: dict[int, Tensor] = {}
    renamed_back = all_renamed(state, lambda name: ours_to_slrt(name, two_stream))
    for theirs, tensor in renamed_back.items():
        result[theirs] = tensor
        head = theirs.removesuffix(f'bn1.norm.{_COUNTER}')
        if head != theirs:
            # Where their heads have it: after the norm.
            width = len(renamed_back[f'{head}bn1.norm.weight'])
            table = tables.setdefault(width, sinusoid(POSITIONS, width)[None])
            result[head + POSITION_TABLE] = table
    return result


def to_published_s3d(state: State) -> dict[str, Tensor]:
    """Our S3D's tensors under the names of the published weights."""
    theirs = all_renamed(state, block_to_flat)
    return {f'module.{name}': tensor for name, tensor in theirs.items()}


def all_renamed(state: State, rename: Rename) -> dict[str, Tensor]:
    """Our tensors under the authors' names.

    Raises:
        CheckpointError: Naming tensors that their network does not have.
    """
    converted = renamed(state, rename, '')
    if unnamed := list(converted.left_out):
        raise CheckpointError(
            f"the authors' network has no place for {unnamed[:3]} ({len(unnamed)} such)"
        )
    return converted.tensors


def read_checkpoint_vocabulary(
    path: str | os.PathLike, spellings: Iterable[str] = ()
) -> GlossVocabulary:
    """Read the glosses of a checkpoint's classes.

    Args:
        path: The authors' ``gloss2ids.pkl``; or a text file, one gloss a line in
            the order of the class numbers from 1 on, no line for the blank.
        spellings: Of a pickle, see ``read_slrt_vocabulary``.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: Naming the file, if it holds no vocabulary.
    """
    if is_pickle(path):
        return read_slrt_vocabulary(path, spellings)
    return GlossVocabulary.from_file(path)


def check_class_count(
    vocab: GlossVocabulary, classes: Mapping[str, int], vocab_path: str, checkpoint: str
) -> None:
    """Raise if the checkpoint's classes are not the vocabulary's glosses.

    Args:
        vocab: Of ``vocab_path``.
        classes: Name of each classifier → its classes; see ``class_counts``.
        checkpoint: The file that the classifiers are of.

    Raises:
        CheckpointError: Saying who has how many, and what to do.
    """
    if len(set(classes.values())) != 1:
        raise CheckpointError(f'{checkpoint}: heads of different classes: {classes}')
    count = max(classes.values())
    if count != len(vocab):
        raise CheckpointError(
            f'{checkpoint} has {count} classes (the blank and {count - 1} glosses), '
            f'{vocab_path} has {len(vocab.glosses)} glosses (the first, '
            f'{vocab.glosses[0]!r}, must not be the blank). Take the gloss2ids.pkl of '
            'the data it was trained on: each corpus and each release has its own'
        )
