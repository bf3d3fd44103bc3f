"""The gloss vocabulary: which class of the recognizer's output is which gloss."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from mmsign.errors import ConfigError, DataError, UnknownGlossError, explain
from mmsign.files import read_lines, write_lines
from mmsign.interop.slrt_corpus import read_slrt_glosses
from mmsign.registry import DATASETS

_EXPECTED = (
    'expected a GlossVocabulary, dict(glosses=[…]), dict(file=PATH), '
    "dict(slrt_file=PATH) or dict(dataset='Phoenix2014Dataset', data_root=PATH)"
)
_CORPUS = {'dataset', 'data_root'}

# Under which a checkpoint's ``meta`` lists the glosses of its network.
GLOSSES_KEY = 'gloss_vocab'


def composed(text: str) -> str:
    """A text as texts are compared: in Unicode's composed form (NFC).

    Examples:
        >>> len(composed('A' + chr(0x308)))
        1
    """
    return unicodedata.normalize('NFC', text)


def lookalikes(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Names that differ in capitals, width, spaces or invisible characters alone.

    Returns:
        Groups of two or more, each sorted; likely one thing, spelled in several ways.

    Examples:
        >>> lookalikes(['Ann', 'BEN', 'ann', 'Cleo'])
        [('Ann', 'ann')]
    """
    groups: dict[str, set[str]] = {}
    for name in names:
        seen = unicodedata.normalize('NFKC', name).casefold()
        # Of Unicode's categories Z are separators, C what has no picture.
        seen = ''.join(x for x in seen if unicodedata.category(x)[0] not in 'ZC')
        groups.setdefault(seen, set()).add(name)
    return sorted(tuple(sorted(g)) for g in groups.values() if len(g) > 1)


class GlossVocabulary:
    """Glosses and their class indices; 0 is the CTC blank.

    Args:
        glosses: In the order of their class indices, from 1 on. They are taken in
            Unicode's composed form (NFC), and so are those of a reference.
        blank: Name of the blank. No gloss may be called so.
        aliases: Other names of glosses: alias → gloss. References may use them;
            what is decoded is the gloss.

    Raises:
        DataError: If a gloss is empty, contains white space, is the blank or
            occurs twice, or an alias is a gloss or stands for none.

    Examples:
        >>> vocab = GlossVocabulary(['RAIN', 'SUN'], aliases={'SUNSHINE': 'SUN'})
        >>> len(vocab)
        3
        >>> vocab.encode(['SUNSHINE', 'RAIN'], clip_id='dev-1')
        [2, 1]
        >>> vocab.decode([2, 1])
        ['SUN', 'RAIN']
    """

    blank_index = 0

    def __init__(
        self,
        glosses: Iterable[str],
        blank: str = '<blank>',
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.blank = blank
        given = list(glosses)
        seen: dict[str, int] = {}
        self._index: dict[str, int] = {}
        for index, gloss in enumerate(given, 1):
            if not isinstance(gloss, str) or not gloss or gloss.split() != [gloss]:
                fault = 'expected a string without white space'
            elif gloss == blank:
                fault = 'the name of the blank; leave it out, or name the blank anew'
            elif (first := seen.setdefault(gloss, index)) < index:
                fault = f'already number {first}'
            else:
                self._index.setdefault(composed(gloss), index)
                continue
            raise DataError(f'gloss number {index} is {gloss!r}: {fault}')
        # A checkpoint may have learned two forms of a gloss as two classes: they keep
        # their forms, and the first alone is learned any more.
        twice = len(self._index) < len(given)
        self.glosses: tuple[str, ...] = tuple(given if twice else map(composed, given))
        pairs = dict(aliases or {}).items()
        self.aliases = {composed(alias): composed(gloss) for alias, gloss in pairs}
        for alias, gloss in self.aliases.items():
            if alias in self._index or alias == blank or gloss not in self.glosses:
                raise DataError(
                    f'alias {alias!r} of {gloss!r}: expected another name of a gloss '
                    'of the vocabulary'
                )
            self._index[alias] = self._index[gloss]

    @classmethod
    def from_sentences(cls, sentences: Iterable[Sequence[str]]) -> GlossVocabulary:
        """The distinct glosses of a corpus, sorted by code point.

        Examples:
            >>> GlossVocabulary.from_sentences([['SUN', 'RAIN'], ['SUN']]).glosses
            ('RAIN', 'SUN')
        """
        return cls(sorted({composed(gloss) for words in sentences for gloss in words}))

    @classmethod
    def from_file(cls, path: str | os.PathLike) -> GlossVocabulary:
        """Read what ``save`` wrote: UTF-8, one gloss a line, no line for the blank.

        Raises:
            DataError: Naming the file, if it cannot be read or holds no vocabulary.
        """
        lines = read_lines(path)
        with explain(DataError, str(path), DataError):
            return cls(lines)

    def save(self, path: str | os.PathLike) -> None:
        """Write the glosses in order; ``from_file`` reads them back.

        Examples:
            >>> GlossVocabulary(['RAIN', 'SUN']).save('glosses.txt')
            >>> GlossVocabulary.from_file('glosses.txt')
            GlossVocabulary(2 glosses, blank='<blank>')
        """
        write_lines(path, self.glosses)

    def __len__(self) -> int:
        """Number of classes, the blank included."""
        return len(self.glosses) + 1

    def __contains__(self, gloss: object) -> bool:
        return isinstance(gloss, str) and composed(gloss) in self._index

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GlossVocabulary):
            return NotImplemented
        ours, theirs = ((v.glosses, v.blank, v.aliases) for v in (self, other))
        return ours == theirs

    def __hash__(self) -> int:
        return hash((self.glosses, self.blank))

    def __repr__(self) -> str:
        return f'GlossVocabulary({len(self.glosses)} glosses, blank={self.blank!r})'

    def encode(self, glosses: Iterable[str], clip_id: str) -> list[int]:
        """Class indices of a reference.

        Args:
            glosses: The reference.
            clip_id: Named in the error.

        Raises:
            UnknownGlossError: If a gloss is not in the vocabulary.
        """
        text = f'clip {clip_id}: a gloss that is none of the vocabulary, train on a '
        text += 'split that it was built from, or build it anew'
        with explain(UnknownGlossError, text, KeyError):
            return [self._index[composed(gloss)] for gloss in glosses]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Glosses of class indices; the blank is not one of them.

        Raises:
            DataError: If an index is the blank's or out of range.
        """
        ids = list(ids)
        if wrong := [index for index in ids if not 1 <= index < len(self)]:
            raise DataError(
                f'class {wrong[0]} is no gloss: expected 1 to {len(self) - 1} '
                f'({self.blank_index} is the blank)'
            )
        return [composed(self.glosses[index - 1]) for index in ids]


def steps_needed(target: Sequence[int]) -> int:
    """Fewest steps for CTC to align ``target``: one each, a blank between equals."""
    repeats = sum(a == b for a, b in zip(target[:-1], target[1:], strict=True))
    return len(target) + repeats


def is_feasible(target: Sequence, steps: int) -> bool:
    """Whether CTC can align ``target`` with that many steps.

    Examples:
        >>> is_feasible(['REGEN', 'REGEN'], 2), is_feasible(['REGEN', 'WIND'], 2)
        (False, True)
    """
    return steps_needed(target) <= steps


def build_vocabulary(cfg: Mapping | GlossVocabulary) -> GlossVocabulary:
    """Build the gloss vocabulary that a config describes.

    Args:
        cfg: A ``GlossVocabulary``, which is returned as it is; or one of

            - ``dict(glosses=[…])`` in the order of their class indices, with
              ``aliases={alias: gloss}`` if there are any;
            - ``dict(file=PATH)``, one gloss a line;
            - ``dict(dataset=TYPE, data_root=PATH)``, the sorted glosses of that
              corpus's training split; with ``ann_file=PATH`` as the dataset has it,
              those of these annotations; with ``signers``, likewise, those of the
              signers who are trained on;
            - ``dict(slrt_file=PATH)``, the authors' ``gloss2ids.pkl``. Their
              glosses are written small: with ``dataset`` and ``data_root``, and
              ``ann_file`` if need be, they are spelled as in that corpus.

    Raises:
        ConfigError: If it is none of these.
        DataError, FileNotFoundError: If the named file or corpus is not there.

    Examples:
        >>> build_vocabulary(dict(glosses=['REGEN', 'SONNE'])).encode(['SONNE'], 'c')
        [2]
    """
    if isinstance(cfg, GlossVocabulary):
        return cfg
    keys = set(cfg) if isinstance(cfg, Mapping) else set()
    listed = 'glosses' in keys and keys <= {'glosses', 'aliases'}
    if listed and not isinstance(cfg['glosses'], str):
        return GlossVocabulary(cfg['glosses'], aliases=cfg.get('aliases'))
    if keys == {'file'}:
        return GlossVocabulary.from_file(cfg['file'])
    of_corpus = _CORPUS <= keys <= _CORPUS | {'ann_file', 'signers', 'slrt_file'}
    if not of_corpus and keys != {'slrt_file'}:
        raise ConfigError(f'vocab: {_EXPECTED}, got {cfg!r:.200}')
    sentences = _training_glosses(cfg) if of_corpus else []
    if 'slrt_file' not in keys:
        return GlossVocabulary.from_sentences(sentences)
    spellings = (gloss for sentence in sentences for gloss in sentence)
    return read_slrt_vocabulary(cfg['slrt_file'], spellings)


def read_slrt_vocabulary(
    path: str | os.PathLike, spellings: Iterable[str] = ()
) -> GlossVocabulary:
    """The vocabulary of the authors' ``gloss2ids.pkl``; see ``read_slrt_glosses``.

    Raises:
        FileNotFoundError, DataError: Naming the file, if it is missing or laid out
            otherwise.
    """
    described = read_slrt_glosses(path, spellings)
    with explain(DataError, str(path), DataError):
        return GlossVocabulary(**described)


def _training_glosses(cfg: Mapping) -> list[list[str]]:
    dataset = DATASETS.get(cfg['dataset'])
    if not hasattr(dataset, 'training_glosses'):
        raise ConfigError(f'vocab: no corpus {cfg["dataset"]!r}; {_EXPECTED}')
    options = {key: cfg[key] for key in ('ann_file', 'signers') if cfg.get(key)}
    return dataset.training_glosses(cfg['data_root'], **options)
