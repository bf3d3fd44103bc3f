"""Where a recognizer's gloss vocabulary comes from."""

from __future__ import annotations

from collections.abc import Mapping

from mmaction.registry import DATASETS

from mmsign.vocab import GlossVocabulary

_EXPECTED = (
    'expected a GlossVocabulary, dict(glosses=[…]), dict(file=PATH) or '
    "dict(dataset='Phoenix2014Dataset', data_root=PATH)"
)


def build_vocabulary(cfg: Mapping | GlossVocabulary) -> GlossVocabulary:
    """Build the gloss vocabulary that a config describes.

    Args:
        cfg: A ``GlossVocabulary``, which is returned as it is; or
            ``dict(glosses=[…])`` in the order of their class numbers; or
            ``dict(file=PATH)``, one gloss a line; or
            ``dict(dataset=TYPE, data_root=PATH)``, the sorted glosses of that
            corpus's training split.

    Raises:
        TypeError, ValueError: If it is none of these.
        FileNotFoundError: If the named file or corpus is not there.
    """
    if isinstance(cfg, GlossVocabulary):
        return cfg
    if not isinstance(cfg, Mapping):
        raise TypeError(f'vocab: {_EXPECTED}, got {type(cfg).__name__}')
    keys = set(cfg)
    if keys == {'glosses'}:
        if isinstance(cfg['glosses'], str):
            raise TypeError(f'vocab: {_EXPECTED}, got a string for glosses')
        return GlossVocabulary(cfg['glosses'])
    if keys == {'file'}:
        return GlossVocabulary.from_file(cfg['file'])
    if keys == {'dataset', 'data_root'}:
        dataset = DATASETS.get(cfg['dataset'])
        if not hasattr(dataset, 'training_glosses'):
            raise ValueError(
                f'vocab: {cfg["dataset"]!r} is no sign language corpus that mmsign '
                'knows; ' + _EXPECTED
            )
        return GlossVocabulary.from_sentences(
            dataset.training_glosses(cfg['data_root'])
        )
    raise ValueError(f'vocab: {_EXPECTED}, got the keys {sorted(keys)}')
