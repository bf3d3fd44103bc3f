"""Weights of a file into a network: the one place that decides whether they fit.

A config names weights in three ways, all read here:

==================================  ==============================================
``model.video.pretrained``          of a stream's backbone alone: a recognizer of
                                    MMAction2, a backbone, S3D's published weights
``model.video.checkpoint``          of a stream with its head, trained alone
``…checkpoint`` of a translator     of a recognizer, a translator or an mBART
==================================  ==============================================
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch.nn as nn
from mmengine.logging import print_log
from torch import Tensor

from mmsign import compat
from mmsign.download import is_url, local_copy
from mmsign.errors import CheckpointError
from mmsign.vocab import GLOSSES_KEY, GlossVocabulary

from .stages import input_tensors, own_names

# Written into the ``meta`` of checkpoints, by the hook for checkpoints.
TEXT_KEY = 'text_vocab'


@dataclass(frozen=True)
class Weights:
    """Tensors by name, and what is known of them.

    Attributes:
        tensors: Without a wrapper's ``module.``.
        source: Where they come from, for errors.
        glosses: The vocabulary they were trained with, if the file says.
        texts: Fingerprints of the text vocabularies, if the file says.
    """

    tensors: dict[str, Tensor]
    source: str
    glosses: list[str] | None = None
    texts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, checkpoint: Mapping, source: str = 'the checkpoint') -> Weights:
        """Of a loaded checkpoint, or of a state dict alone."""
        state = checkpoint.get('state_dict', checkpoint)
        meta = checkpoint.get('meta') or {}
        glosses, texts = meta.get(GLOSSES_KEY), (meta.get(TEXT_KEY) or {}).values()
        tensors = {key.removeprefix('module.'): value for key, value in state.items()}
        glosses = None if glosses is None else list(glosses)
        return cls(tensors, source, glosses, frozenset(texts))

    @classmethod
    def read(cls, path: str) -> Weights:
        """Of a file, a URL, or a work folder: see ``best_checkpoint``.

        Raises:
            FileNotFoundError, CheckpointError: If it cannot be read.
        """
        instead = 'name the file itself, or None to start from random weights'
        path = local_copy(path, instead) if is_url(path) else best_checkpoint(path)
        return cls.of(compat.load_checkpoint(path), path)

    def part(self, prefix: str) -> Weights:
        """Those under a prefix, without it."""
        found = {k: v for k, v in self.tensors.items() if k.startswith(prefix)}
        return replace(self, tensors={k.removeprefix(prefix): found[k] for k in found})

    def check_vocabularies(
        self, glosses: GlossVocabulary | None = None, text: str | None = None
    ) -> None:
        """Refuse weights of other words: equal sizes would fit, and be wrong.

        Args:
            glosses: Of the network; not compared if None or the file does not say.
            text: Fingerprint of the text vocabulary, likewise.

        Raises:
            CheckpointError: Naming the first place at which they differ.
        """
        theirs = self.glosses
        ours = theirs if glosses is None else list(glosses.glosses)
        if theirs is not None and ours != theirs:
            pairs = enumerate(itertools.zip_longest(theirs, ours))
            place = next(i for i, (a, b) in pairs if a != b)
            raise CheckpointError(
                f'{self.source} has another vocabulary: {len(theirs)} glosses, the '
                f'network {len(ours)}, and they differ first at position '
                f'{place}; use the config beside the checkpoint, or its corpus'
            )
        if text is not None and self.texts and text not in self.texts:
            raise CheckpointError(
                f'{self.source} has another text vocabulary: name the folder it was '
                'trained with in mbart.vocabulary or mbart.folder'
            )

    def fitting(
        self,
        needed: Mapping[str, Tensor],
        what: str,
        optional: Callable[[str], bool] = lambda key: False,
        free: Iterable[str] = (),
    ) -> dict[str, Tensor]:
        """The tensors that a network takes, if they are all there.

        Args:
            needed: The network's own, by name.
            what: Names the network in the error.
            optional: Tells of a tensor's name whether it may be missing.
            free: Names that are left out where the shapes differ.

        Raises:
            CheckpointError: Naming the tensors that are missing or misshapen.
        """
        state = self.tensors
        missing = [key for key in needed if key not in state and not optional(key)]
        wrong = {
            key: f'{key} {tuple(state[key].shape)} instead of {tuple(own.shape)}'
            for key, own in needed.items()
            if key in state and state[key].shape != own.shape
        }
        left_out = wrong.keys() & set(free)
        misshapen = [text for key, text in wrong.items() if key not in left_out]
        if missing or misshapen:
            raise CheckpointError(
                f'{self.source} does not fit {what}: {len(missing)} tensors missing '
                f'(first: {missing[:3]}), {len(misshapen)} of another shape (first: '
                f'{misshapen[:3]})'
            )
        if left_out:
            names = ', '.join(sorted(left_out))
            text = f'{self.source}: left at their initialisation, of another input:'
            print_log(f'{text} {names}', logger='current')
        return {k: state[k] for k in needed if k in state and k not in left_out}


def load_weights(
    module: nn.Module,
    path: str,
    what: str,
    prefix: str = '',
    optional: Callable[[str], bool] = lambda key: False,
    glosses: GlossVocabulary | None = None,
    text: str | None = None,
) -> None:
    """Load a network, or a submodule of one, from a checkpoint.

    Args:
        module: Is changed in place.
        path: See ``Weights.read``.
        what: Names the module in errors.
        prefix: Under which the file has it: ``mbart.``, say.
        optional: Tells of a tensor's name whether it may be missing.
        glosses, text: See ``Weights.check_vocabularies``.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If the file does not hold all of the module in these shapes,
            or is of another vocabulary.
    """
    weights = Weights.read(path).part(prefix)
    weights.check_vocabularies(glosses, text)
    found = weights.fitting(module.state_dict(), what, optional)
    module.load_state_dict(found, strict=False)


def load_backbone(backbone: nn.Module, source: str) -> None:
    """Load the weights of a backbone of the same kind, trained on any input.

    Tensors whose shape follows from the input (the first convolution; what has
    one entry per keypoint in a graph network) are left as they are where the
    shapes differ, and this is logged. A backbone with a method
    ``convert_checkpoint(tensors)`` renames those of a foreign file itself.

    Args:
        backbone: Is changed in place.
        source: A file or the URL of one: a recognizer of MMAction2, a backbone's
            weights, torchvision's of a ResNet, or S3D's Kinetics-400 weights.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If a URL cannot be read, or the weights are not this
            network's.
    """
    weights = Weights.read(source)
    inside = weights.part('backbone.')
    weights = inside if inside.tensors else weights
    if hasattr(backbone, 'convert_checkpoint'):
        tensors = backbone.convert_checkpoint(weights.tensors)
        weights = replace(weights, tensors=tensors)
    weights = replace(weights, tensors=own_names(backbone, weights.tensors))
    found = weights.fitting(
        backbone.state_dict(),
        f'this {type(backbone).__name__}',
        optional=lambda key: 'num_batches_tracked' in key,
        free=input_tensors(backbone),
    )
    backbone.load_state_dict(found, strict=False)


def required_tensors(model: nn.Module, checkpoint: Mapping) -> dict[str, Tensor]:
    """What inference needs of a checkpoint, if it is one of ``model``.

    Args:
        model: A recognizer or translator.
        checkpoint: As loaded; without a vocabulary in its ``meta`` that check is left
            out.

    Raises:
        CheckpointError: For another vocabulary, or missing or misshapen tensors.
    """
    weights = Weights.of(checkpoint)
    weights.check_vocabularies(model.vocab)
    return weights.fitting(model.required_state(), 'the network')


def best_checkpoint(path: str) -> str:
    """The file itself, or the newest best checkpoint of a work folder.

    Raises:
        FileNotFoundError: If the folder has no checkpoint.
    """
    folder = Path(path)
    if not folder.is_dir():
        return str(path)
    best = sorted(folder.glob('best_*.pth'), key=lambda file: file.stat().st_mtime)
    latest = str(best[-1]) if best else compat.find_latest_checkpoint(folder)
    if latest is None:
        raise FileNotFoundError(f'no checkpoint in {folder}: train it first')
    return latest
