"""A network in one file that may be passed on: the *bundle*.

A zip archive, nothing in it compressed, of

- ``bundle.json``: format, version, versions of the software, licence notes; the
  calibration of every output that has one; SHA-256 of the other members but the
  weights, so that glosses that were put into another order are noticed
- ``config.json``: model, pipeline and corpus of a ``NetworkSpec``, as data
- ``vocabulary.txt``: glosses in the order of their class numbers, one a line
- ``weights.safetensors``: what inference needs of the state dict

and, if it writes sentences, of

- ``sentencepiece.model``: the pieces of the text vocabulary
- ``text.json``: the ids that it keeps of them, or null for all

Reading one executes nothing from it: the config is JSON, and what it may name are
registered layers and mmsign's own transforms, never a dotted path, an import or
another file.
"""

import hashlib
import json
import os
import zipfile
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mmaction
import mmengine
import safetensors.torch
import torch
from mmengine.config import Config
from safetensors import SafetensorError
from torch import Tensor

import mmsign
from mmsign import compat
from mmsign.config import load_config
from mmsign.decoding import CALIBRATION_KEY, calibrations_from
from mmsign.download import hub_copy
from mmsign.errors import BundleError, CheckpointError, ConfigError, explain
from mmsign.files import replacing
from mmsign.text import TextVocabulary
from mmsign.vocab import GlossVocabulary

from .bundle_config import check_config, translation_config
from .network import Network, NetworkSpec, build_network, spec_of_config

FORMAT, VERSION = 'mmsign-bundle', 1
_ABOUT, _CONFIG, _VOCABULARY = 'bundle.json', 'config.json', 'vocabulary.txt'
_WEIGHTS = 'weights.safetensors'
_MEMBERS = (_ABOUT, _CONFIG, _VOCABULARY, _WEIGHTS)
_PIECES, _KEPT = 'sentencepiece.model', 'text.json'
_DIGESTS = 'sha256'
# The same content gives the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
_UNSTATED = 'licence not stated: ask whoever made this bundle before passing it on'


@dataclass(frozen=True)
class Bundle:
    """What a bundle holds.

    Attributes:
        spec: The network, its glosses written out.
        state: Its weights.
        about: Format, version, versions of the software, licence notes; calibration.
    """

    spec: NetworkSpec
    state: dict[str, Tensor]
    about: dict


def write_bundle(
    path: str | os.PathLike, network: Network, licence: str | None = None
) -> None:
    """Write a bundle; it appears complete or not at all.

    Args:
        path: To write.
        network: To store.
        licence: What whoever gets the file has to know about using the weights; None
            takes ``licence`` of the config's ``corpus``.

    Raises:
        BundleError: If the network has parts that no reader would accept.
    """
    spec = network.spec
    model = {key: value for key, value in spec.model.items() if key != 'vocab'}
    with _blamed(path):
        if network.translates:
            model['translation'] = translation_config(network.model)
        config = dict(model=model, pipeline=spec.pipeline, corpus=spec.corpus)
        check_config(config)
        config = _json(config)
    state, shared = _distinct(network.model.required_state())
    weights = licence or spec.corpus.get('licence') or _UNSTATED
    packages = dict(mmaction2=mmaction, mmengine=mmengine, mmsign=mmsign, torch=torch)
    about = dict(
        format=FORMAT,
        version=VERSION,
        software={name: package.__version__ for name, package in packages.items()},
        licence=dict(software='mmsign: Apache-2.0', weights=weights),
        shared=shared,
    )
    found = network.calibrations.items()
    about |= {CALIBRATION_KEY: {name: one.to_dict() for name, one in found}}
    contents = {
        _CONFIG: config,
        _VOCABULARY: ''.join(f'{g}\n' for g in network.model.vocab.glosses).encode(),
        _WEIGHTS: safetensors.torch.save(state),
    }
    if network.translates:
        text = network.model.text_vocabulary
        contents |= {_PIECES: text.model, _KEPT: json.dumps(text.kept).encode()}
    about[_DIGESTS] = _digests(contents)
    contents = {_ABOUT: _json(about)} | contents
    with replacing(path) as file, zipfile.ZipFile(file, 'w') as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content)


def read_bundle(path: str | os.PathLike) -> Bundle:
    """Read a bundle.

    Args:
        path: Of the file; ``hf://OWNER/NAME`` downloads it, see ``hub_copy``.

    Raises:
        FileNotFoundError: If there is no such file.
        BundleError: If it is no bundle, is damaged, was changed by hand, or was
            written by a later version; or if its config names what a bundle may not
            name.
    """
    name = hub_copy(path)
    if not os.path.isfile(name):
        raise FileNotFoundError(f'bundle {name} does not exist')
    with _blamed(name):
        contents = _contents(name)
        about, config = _parsed(contents, _ABOUT), _parsed(contents, _CONFIG)
        found = f'{about.get("format")} version {about.get("version")}'
        if found != f'{FORMAT} version {VERSION}':
            expected = f'expected {FORMAT} version {VERSION}'
            raise BundleError(f'{expected}, not {found}; use the mmsign that wrote it')
        check_config(config)
        calibrations_from(about.get(CALIBRATION_KEY))
        glosses = contents[_VOCABULARY].decode('utf-8').split('\n')[:-1]
        GlossVocabulary(glosses)
        state = safetensors.torch.load(contents[_WEIGHTS])
        for alias, stored in (about.get('shared') or {}).items():
            state[alias] = state[stored]
        model = config['model'] | dict(vocab=dict(glosses=glosses))
        if _PIECES in contents:
            kept = _parsed(contents, _KEPT, (list, type(None)))
            if not all(type(index) is int for index in kept or ()):
                raise BundleError(f'{_KEPT} is no list of ids')
            text = TextVocabulary(contents[_PIECES], kept, name)
            for head in model['translation'].values():
                head['mbart']['vocabulary'] = text
        found = _digests(contents)
        # Bundles of earlier versions tell none.
        told = dict(about.get(_DIGESTS, found))
        changed = [member for member in found if told.get(member) != found[member]]
        if changed:
            raise BundleError(
                f'{changed[0]} was changed since the bundle was written: write it anew'
            )
    return Bundle(replace(NetworkSpec(**config), model=model), state, about)


def open_network(
    config: str | Path | Config | None = None,
    checkpoint: str | Path | None = None,
    bundle: str | Path | None = None,
    device: str | torch.device | None = None,
    fast: bool = False,
) -> Network:
    """Build a network from a config and a checkpoint, or from a bundle.

    Args:
        config, checkpoint: Both, or neither.
        bundle: Instead.
        device: None takes a GPU if there is one.
        fast: See ``build_network``.

    Raises:
        ConfigError: If the arguments do not name one network, or no device of this
            machine; see also ``spec_of_config``.
        FileNotFoundError, CheckpointError, BundleError: If a file is not what it
            should be, or of another network; it is named.
    """
    device = compat.choose_device(device)
    if bundle is not None and config is checkpoint is None:
        read = read_bundle(bundle)
        with _blamed(bundle):
            meta = {CALIBRATION_KEY: read.about.get(CALIBRATION_KEY)}
            loaded = dict(state_dict=read.state, meta=meta)
            return build_network(read.spec, loaded, device, fast)
    if bundle is not None or None in (config, checkpoint):
        raise ConfigError(
            'name one network: --config FILE --checkpoint FILE, or --bundle FILE'
        )
    cfg = config if isinstance(config, Config) else load_config(str(config))
    loaded = compat.load_checkpoint(checkpoint)
    spec = spec_of_config(cfg, str(checkpoint))
    with explain(CheckpointError, str(checkpoint), CheckpointError):
        return build_network(spec, loaded, device, fast)


def load_network(
    config: str | Path | Config, checkpoint: str | Path, device=None, fast: bool = False
) -> Network:
    """``open_network`` of a config and a checkpoint."""
    return open_network(config, checkpoint, device=device, fast=fast)


def _distinct(state: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors to store, and alias → name of those that are another's memory, as
    mBART's output layer is its embedding."""
    kept, shared, names = {}, {}, {}
    for key, value in state.items():
        place = value.data_ptr(), value.shape, value.stride(), value.dtype
        first = names.setdefault(place, key) if value.numel() else key
        if first != key:
            shared[key] = first
        else:
            kept[key] = value.detach().cpu().contiguous()
    return kept, shared


def _digests(contents: dict[str, bytes]) -> dict[str, str]:
    told = contents.keys() - {_ABOUT, _WEIGHTS}
    return {name: hashlib.sha256(contents[name]).hexdigest() for name in sorted(told)}


def _blamed(name: str | os.PathLike) -> AbstractContextManager:
    """Whatever is wrong is wrong with this bundle."""
    text = f'bundle {os.fspath(name)}: not as expected'
    kinds = ValueError, KeyError, TypeError, RuntimeError, OSError, EOFError
    return explain(BundleError, text, *kinds, zipfile.BadZipFile, SafetensorError)


def _contents(name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(name) as archive:
        found = archive.namelist()
        if sorted(found) not in (sorted(_MEMBERS), sorted((*_MEMBERS, _PIECES, _KEPT))):
            raise BundleError(f'it holds {found[:5]}, expected {list(_MEMBERS)}')
        if any(info.compress_type for info in archive.infolist()):
            # A few bytes could otherwise unpack to any size.
            raise BundleError('it is compressed; refused')
        return {member: archive.read(member) for member in found}


def _parsed(
    contents: dict[str, bytes], member: str, kind: type | tuple[type, ...] = dict
) -> Any:
    with explain(BundleError, f'{member} is no JSON', ValueError, RecursionError):
        value = json.loads(contents[member])
    if not isinstance(value, kind):
        raise BundleError(f'{member} holds a {type(value).__name__}')
    return value


def _json(value: dict) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True).encode()
