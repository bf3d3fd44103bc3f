"""What the config in a bundle may name: registered parts and plain settings.

The part that writes sentences names no folder of an mBART: the network is made from
plain settings and gets its weights and text vocabulary from the bundle. What the
settings may be is a list, since transformers' own would let a file name code to be
fetched.
"""

from typing import Any

from mmengine.registry import Registry

from mmsign.config import entries
from mmsign.errors import BundleError
from mmsign.models import SignTranslator
from mmsign.models.heads.translation_head import MBartTranslationHead
from mmsign.registry import MODELS, TRANSFORMS

from .network import TRAINING_ONLY

# Keys under which a config would name other files, or settings of transformers,
# which are admitted in their own place only. A vocabulary is the archive's own.
_REFUSED = (
    *(*TRAINING_ONLY, 'checkpoints', 'feature_file', 'folder', 'g2t_checkpoint'),
    *('mbart', 'recognizer_checkpoint', 'translation', 'vocab', 'vocabulary'),
)
# Where the classes that a bundle may name come from.
_LAYER_PACKAGES = ('mmsign', 'mmaction.models', 'mmcv', 'mmengine.model', 'torch.nn')
_TRANSFORM_PACKAGES = ('mmsign.datasets.transforms',)
# Settings of an mBART: of its search, of its network, and names.
_SEARCH = ('beam_width', 'length_penalty', 'max_length')
_SIZES = (
    *('d_model', 'encoder_layers', 'decoder_layers', 'encoder_attention_heads'),
    *('decoder_attention_heads', 'encoder_ffn_dim', 'decoder_ffn_dim'),
    *('max_position_embeddings', 'scale_embedding', 'init_std'),
)
_ACTIVATION, _LANGUAGE = 'activation_function', 'language'


def check_config(config: dict) -> None:
    """Refuse what a bundle may not name.

    Args:
        config: ``model``, ``pipeline`` and ``corpus``, as in the bundle.

    Raises:
        BundleError: Naming what is refused.
    """
    kinds = dict(model=dict, pipeline=list, corpus=dict)
    if {key: type(value) for key, value in config.items()} != kinds:
        raise BundleError(f'its config has {sorted(config)}, expected {sorted(kinds)}')
    model = dict(config['model'])
    if 'translation' in model:
        _check_heads(model.pop('translation'))
    _check_types(model, MODELS, _LAYER_PACKAGES)
    _check_types(config['pipeline'], TRANSFORMS, _TRANSFORM_PACKAGES)


def translation_config(model: SignTranslator) -> dict[str, dict]:
    """The config of every translation head, with nothing but plain settings.

    Raises:
        BundleError: If a head is of a class of its own.
    """
    heads = {}
    for output, head in model.translation.items():
        if type(head) is not MBartTranslationHead:
            raise BundleError(
                f'no reader of a bundle has the {type(head).__name__} that translates '
                f'{output!r}; pass on config and checkpoint'
            )
        known = head.mbart.network.config.to_dict()
        settings = {key: known[key] for key in (*_SIZES, _ACTIVATION) if key in known}
        settings |= {key: getattr(head.mbart, key) for key in (*_SEARCH, _LANGUAGE)}
        heads[output] = dict(mbart=settings)
    return heads


def _check_heads(heads: Any) -> None:
    if not isinstance(heads, dict):
        raise BundleError('its translation is no dict of heads')
    for output, head in heads.items():
        settings = head.get('mbart') if isinstance(head, dict) else None
        if not isinstance(settings, dict) or set(head) != {'mbart'}:
            raise BundleError(f'its translation head {output!r} is no plain mBART')
        for key, value in settings.items():
            number = key in (*_SIZES, *_SEARCH) and isinstance(value, (int, float))
            name = key in (_ACTIVATION, _LANGUAGE) and isinstance(value, str)
            if not number and not name:
                raise BundleError(f'its mBART may not set {key!r} to {value!r}')


def _check_types(config: Any, registry: Registry, packages: tuple[str, ...]) -> None:
    for _, holder, key, value in entries(config):
        if not isinstance(holder, dict):
            continue
        if key in _REFUSED or key.startswith('_'):
            raise BundleError(f'its config may not set {key!r}')
        if key == 'type' and not _is_registered(value, registry, packages):
            known = ', '.join(packages)
            raise BundleError(f'its config names {value!r}, no part of {known}')


def _is_registered(
    kind: Any, registry: Registry | None, packages: tuple[str, ...]
) -> bool:
    # Registry.get would import whatever a dotted name points to.
    while registry is not None and isinstance(kind, str):
        found = registry.module_dict.get(kind)
        if found is not None:
            homes = tuple(f'{package}.' for package in packages)
            return f'{found.__module__}.'.startswith(homes)
        registry = registry.parent
    return False
