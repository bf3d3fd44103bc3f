"""Check word errors against NIST sclite, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mmsign.errors import ConfigError

from .wer import WordErrors, sentence_errors

_SENTENCE = re.compile(r'id: \(s-(\d+)\)\nScores: \(#C #S #D #I\) (.*)')

Sentences = Sequence[Sequence[str]]


def sclite_command() -> list[str] | None:
    """The command that runs sclite, None if it is not installed."""
    for command in (['sclite'], ['sctk', 'sclite']):
        if shutil.which(command[0]):
            return command
    return None


def sclite_errors(references: Sentences, hypotheses: Sentences) -> list[WordErrors]:
    """Word errors of each sentence as NIST sclite counts them.

    Words are numbered before sclite sees them, since it ignores case and takes some
    characters for marks of its own. Sentences without any word are left out: sclite
    does not accept them, and they hold no errors.

    Args:
        references: Words of each sentence.
        hypotheses: As many, in the same order.

    Raises:
        ConfigError: sclite is not installed, or fails; says how.
    """
    command = sclite_command()
    if command is None:
        raise ConfigError(
            'NIST sclite is not installed: neither sclite nor sctk is on the PATH '
            '(on Debian and Ubuntu: apt install sctk)'
        )
    numbers: dict[str, int] = {}
    sides = []
    for sentences in (references, hypotheses):
        coded = (
            ' '.join(f'w{numbers.setdefault(word, len(numbers))}' for word in words)
            for words in sentences
        )
        sides.append([f'{text} (s-{i})\n' for i, text in enumerate(coded)])
    spoken = [i for i, pair in enumerate(zip(references, hypotheses)) if any(pair)]
    found = [WordErrors(sentences=1, correct_sentences=1)] * len(references)
    if not spoken:
        return found
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in zip(('ref', 'hyp'), sides):
            Path(folder, name).write_text(''.join(lines[i] for i in spoken))
        options = '-r ref trn -h hyp trn -i spu_id -o pra stdout'
        done = subprocess.run(
            [*command, *options.split()], cwd=folder, capture_output=True, text=True
        )
    blocks = _SENTENCE.findall(done.stdout)
    if done.returncode or len(blocks) != len(spoken):
        message = ' '.join(done.stderr.split())[-300:]
        raise ConfigError(
            f'{" ".join(command)} reported {len(blocks)} of {len(spoken)} sentences '
            f'and ended with status {done.returncode}: {message}'
        )
    for number, counts in blocks:
        correct, substituted, deleted, inserted = map(int, counts.split())
        found[int(number)] = WordErrors(
            substituted,
            deleted,
            inserted,
            correct + substituted + deleted,
            1,
            int(not (substituted or deleted or inserted)),
        )
    return found


def verify_with_sclite(references: Sentences, hypotheses: Sentences) -> None:
    """Compare our counts with sclite's, sentence by sentence.

    Raises:
        ConfigError: a count differs, naming the first such sentence; or as in
            ``sclite_errors``.
    """
    theirs = sclite_errors(references, hypotheses)
    ours = [sentence_errors(r, h) for r, h in zip(references, hypotheses)]
    different = [i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]]
    if different:
        first = different[0]
        raise ConfigError(
            f'sclite counts otherwise in {len(different)} of {len(ours)} sentences; in '
            f'sentence {first + 1}, sclite: {theirs[first]}, mmsign: {ours[first]}'
        )
