"""Check word errors against NIST sclite, where it is installed."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from mmsign.errors import ConfigError

from .tokens import Sentences
from .wer import WordErrors, sentence_errors

_SENTENCE = re.compile(r'id: \(s-(\d+)\)\nScores: \(#C #S #D #I\) (.*)')


def sclite_command() -> list[str] | None:
    """The command that runs sclite, None if it is not installed."""
    commands = ['sclite'], ['sctk', 'sclite']
    return next((command for command in commands if shutil.which(command[0])), None)


def sclite_errors(references: Sentences, hypotheses: Sentences) -> list[WordErrors]:
    """Word errors of each sentence as NIST sclite counts them.

    Words are numbered before sclite sees them, since it ignores case and takes some
    characters for marks of its own. All sentences begin with one more word, the same
    in both: sclite does not accept sentences without any.

    Args:
        references: Words of each sentence.
        hypotheses: As many, in the same order.

    Raises:
        ConfigError: sclite is not installed, or fails; says how.
    """
    command = sclite_command()
    if command is None:
        raise ConfigError('neither sclite nor sctk is on the PATH: apt install sctk')
    numbers: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, sentences in (('ref', references), ('hyp', hypotheses)):
            lines = []
            for i, sentence in enumerate(sentences):
                words = (numbers.setdefault(w, len(numbers)) for w in sentence)
                lines.append(' '.join(['begin', *map(str, words), f'(s-{i})\n']))
            Path(folder, name).write_text(''.join(lines))
        options = '-r ref trn -h hyp trn -i spu_id -o pra stdout'
        command += options.split()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    blocks = _SENTENCE.findall(done.stdout)
    if done.returncode or len(blocks) != len(references):
        end = f'status {done.returncode}: {" ".join(done.stderr.split())[-300:]}'
        raise ConfigError(
            f'{command[0]} counted {len(blocks)} of {len(references)} sentences, {end}'
        )
    found = {}
    for number, counts in blocks:
        correct, *errors, inserted = map(int, counts.split())
        sizes = correct - 1 + sum(errors), 1, int(not any((*errors, inserted)))
        found[int(number)] = WordErrors(*errors, inserted, *sizes)
    return [found[number] for number in range(len(references))]


def verify_with_sclite(references: Sentences, hypotheses: Sentences) -> None:
    """Compare our counts with sclite's, sentence by sentence.

    Raises:
        ConfigError: a count differs, naming the first such sentence; or as in
            ``sclite_errors``.
    """
    theirs = sclite_errors(references, hypotheses)
    ours = [sentence_errors(r, h) for r, h in zip(references, hypotheses)]
    different = [
        f'in sentence {number} sclite has {their}, mmsign {own}'
        for number, (own, their) in enumerate(zip(ours, theirs), 1)
        if own != their
    ]
    if different:
        counts = f'{len(different)} of {len(ours)} sentences'
        raise ConfigError(f'sclite counts otherwise in {counts}; {different[0]}')
