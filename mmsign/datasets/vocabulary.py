"""Where a recognizer's gloss vocabulary comes from."""

from __future__ import annotations

from collections.abc import Mapping

from mmsign.errors import DataError
from mmsign.interop.slrt_annotations import read_slrt_vocabulary
from mmsign.registry import DATASETS
from mmsign.vocab import GlossVocabulary

_EXPECTED = (
    'expected a GlossVocabulary, dict(glosses=[…]), dict(file=PATH), '
    "dict(slrt_file=PATH) or dict(dataset='Phoenix2014Dataset', data_root=PATH)"
)
_CORPUS = {'dataset', 'data_root'}


def build_vocabulary(cfg: Mapping | GlossVocabulary) -> GlossVocabulary:
    """Build the gloss vocabulary that a config describes.

    Args:
        cfg: A ``GlossVocabulary``, which is returned as it is; or one of

            - ``dict(glosses=[…])`` in the order of their class numbers, with
              ``aliases={alias: gloss}`` if there are any;
            - ``dict(file=PATH)``, one gloss a line;
            - ``dict(dataset=TYPE, data_root=PATH)``, the sorted glosses of that
              corpus's training split; with ``ann_file=PATH`` as the dataset has it,
              those of these annotations;
            - ``dict(slrt_file=PATH)``, the authors' ``gloss2ids.pkl``. Their
              glosses are written small: with ``dataset`` and ``data_root``, and
              ``ann_file`` if need be, they are spelled as in that corpus.

    Raises:
        TypeError, ValueError: If it is none of these.
        FileNotFoundError: If the named file or corpus is not there.
    """
    if isinstance(cfg, GlossVocabulary):
        return cfg
    if not isinstance(cfg, Mapping):
        raise TypeError(f'vocab: {_EXPECTED}, got {type(cfg).__name__}')
    keys = set(cfg)
    if 'glosses' in keys and keys <= {'glosses', 'aliases'}:
        if isinstance(cfg['glosses'], str):
            raise TypeError(f'vocab: {_EXPECTED}, got a string for glosses')
        return GlossVocabulary(cfg['glosses'], aliases=cfg.get('aliases'))
    if keys == {'file'}:
        return GlossVocabulary.from_file(cfg['file'])
    if keys == {'slrt_file'}:
        return read_slrt_vocabulary(cfg['slrt_file'])
    if _CORPUS <= keys <= _CORPUS | {'ann_file', 'slrt_file'}:
        sentences = _training_glosses(cfg)
        if 'slrt_file' not in keys:
            return GlossVocabulary.from_sentences(sentences)
        spellings = (gloss for sentence in sentences for gloss in sentence)
        return read_slrt_vocabulary(cfg['slrt_file'], spellings)
    raise DataError(f'vocab: {_EXPECTED}, got the keys {sorted(keys)}')


def _training_glosses(cfg: Mapping) -> list[list[str]]:
    dataset = DATASETS.get(cfg['dataset'])
    if not hasattr(dataset, 'training_glosses'):
        raise DataError(
            f'vocab: {cfg["dataset"]!r} is no sign language corpus that mmsign '
            'knows; ' + _EXPECTED
        )
    return dataset.training_glosses(cfg['data_root'], cfg.get('ann_file'))
