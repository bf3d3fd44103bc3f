"""The gloss vocabulary that belongs to an authors' checkpoint."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from mmsign.errors import CheckpointError
from mmsign.vocab import GlossVocabulary

from .slrt_annotations import read_slrt_vocabulary


def read_checkpoint_vocabulary(
    path: str | os.PathLike, spellings: Iterable[str] = ()
) -> GlossVocabulary:
    """Read the glosses of a checkpoint's classes.

    Args:
        path: The authors' ``gloss2ids.pkl``; or a text file, one gloss a line in
            the order of the class numbers from 1 on, no line for the blank.
        spellings: Glosses as a corpus writes them; a name that differs from one of
            these in case alone is written like it. For a pickle only.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file, if it holds no vocabulary.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'vocabulary {path} does not exist')
    if is_vocabulary_pickle(path):
        return read_slrt_vocabulary(path, spellings)
    return GlossVocabulary.from_file(path)


def is_vocabulary_pickle(path: str | os.PathLike) -> bool:
    """Whether a vocabulary file is a pickle rather than a text."""
    path = Path(path)
    if path.suffix in ('.pkl', '.pickle'):
        return True
    with path.open('rb') as file:
        # How a pickle of protocol 2 or later begins; no UTF-8 text does.
        return file.read(1) == b'\x80'


def check_class_count(
    vocab: GlossVocabulary,
    classes: Mapping[str, int],
    vocab_path: str | os.PathLike,
    checkpoint: str | os.PathLike,
) -> None:
    """Raise if the checkpoint's classes are not the vocabulary's glosses.

    Args:
        vocab: Of ``vocab_path``.
        classes: Name of each classifier → its classes; see ``class_counts``.

    Raises:
        CheckpointError: Saying who has how many, and what to do.
    """
    counts = set(classes.values())
    if len(counts) != 1:
        raise CheckpointError(
            f'{checkpoint}: the heads have different numbers of classes: '
            + ', '.join(f'{name} {count}' for name, count in classes.items())
        )
    count = counts.pop()
    if count == len(vocab):
        return
    advice = (
        'Take the gloss2ids.pkl that lies with the data the checkpoint was trained '
        'on (each corpus and each release has its own); a vocabulary built from the '
        'annotations has another order and often another size'
    )
    if count == len(vocab.glosses):
        advice = (
            f'Its first line, {vocab.glosses[0]!r}, may be the blank: leave it out. '
            f'Otherwise: {advice}'
        )
    raise CheckpointError(
        f'{checkpoint} has {count} classes (the blank and {count - 1} glosses), '
        f'{vocab_path} has {len(vocab.glosses)} glosses: '
        f'{abs(count - len(vocab))} too {"few" if count > len(vocab) else "many"}. '
        f'{advice}'
    )
