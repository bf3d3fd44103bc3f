"""What the config in a bundle may name: registered parts and plain settings."""

from __future__ import annotations

from typing import Any

from mmengine.registry import Registry

from mmsign.errors import BundleError
from mmsign.registry import MODELS, TRANSFORMS

from .bundle_text import check_translation
from .network import TRAINING_ONLY

# Keys under which a config would name other files, or settings of transformers,
# which are admitted in their own place only.
_REFUSED = (
    'checkpoints',
    'feature_file',
    'folder',
    'g2t_checkpoint',
    'mbart',
    'recognizer_checkpoint',
    'translation',
    'vocab',
    'vocabulary',
)
# Where the classes that a bundle may name come from.
_LAYER_PACKAGES = ('mmsign', 'mmaction.models', 'mmcv', 'mmengine.model', 'torch.nn')
_TRANSFORM_PACKAGES = ('mmsign.datasets.transforms',)


def check_config(config: dict, name: str) -> None:
    """Refuse what a bundle may not name.

    Args:
        config: ``model``, ``pipeline`` and ``corpus``, as in the bundle.
        name: Of the bundle.

    Raises:
        BundleError: Naming what is refused.
    """
    kinds = dict(model=dict, pipeline=list, corpus=dict)
    if set(config) != set(kinds) or not all(
        isinstance(config[key], kind) for key, kind in kinds.items()
    ):
        raise BundleError(
            f'{name}: its config has {sorted(config)}, expected {sorted(kinds)}'
        )
    model = dict(config['model'])
    heads = model.pop('translation', None)
    if heads is not None:
        try:
            check_translation(heads)
        except ValueError as error:
            raise BundleError(f'{name}: {error}') from error
    _check_types(model, MODELS, _LAYER_PACKAGES, name)
    _check_types(config['pipeline'], TRANSFORMS, _TRANSFORM_PACKAGES, name)


def _check_types(
    node: Any, registry: Registry, packages: tuple[str, ...], name: str
) -> None:
    if isinstance(node, list):
        for item in node:
            _check_types(item, registry, packages, name)
    if not isinstance(node, dict):
        return
    for key, item in node.items():
        # A vocabulary is the archive's own; the others would read further files.
        if key in (*_REFUSED, *TRAINING_ONLY) or key.startswith('_'):
            raise BundleError(f'{name}: its config may not set {key!r}')
        _check_types(item, registry, packages, name)
    if 'type' in node and not _is_registered(node['type'], registry, packages):
        raise BundleError(
            f'{name}: its config names {node["type"]!r}, which is none of the '
            f'registered parts of {", ".join(packages)}; refused'
        )


def _is_registered(
    kind: Any, registry: Registry | None, packages: tuple[str, ...]
) -> bool:
    # Registry.get would import whatever a dotted name points to.
    while registry is not None and isinstance(kind, str):
        found = registry.module_dict.get(kind)
        if found is not None:
            home = f'{found.__module__}.'
            return any(home.startswith(f'{package}.') for package in packages)
        registry = registry.parent
    return False
