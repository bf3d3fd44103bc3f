"""Dumps of predictions: JSON lines, and text files for ``tools/score.py``."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from mmsign.errors import ConfigError, DataError, explain
from mmsign.files import check_outputs, read_lines, write_lines

_NO_RECORD = ValueError, TypeError, KeyError, AttributeError, RecursionError


def write_predictions(prefix: str | os.PathLike, records: Sequence[dict]) -> list[Path]:
    """Dump the predictions of a corpus, replacing files of an earlier call.

    ``{prefix}.jsonl`` has one JSON object per clip: the record itself.
    ``{prefix}.reference.txt`` and, per output, ``{prefix}.{output}.txt`` have one
    line of glosses per clip, in the same order and not cleaned, or one sentence.
    Each file appears complete or not at all.

    Args:
        prefix: Path without suffix; missing folders are made.
        records: One per clip: ``clip_id``, ``signer``, ``reference`` (glosses, or
            the sentence), ``hypotheses``: per output ``glosses`` or ``text``,
            ``score`` (log-probability; null in the file if not finite), of glosses
            ``spans`` (start, end) in source frames, ``n_best`` (glosses or text,
            score) and of a clip of at most one gloss ``single_sign``
            (``SignReading.to_dict``). Every record has the same outputs.

    Returns:
        The files written.

    Examples:
        >>> best = dict(glosses=['REGEN'], score=-0.1, spans=[[12, 20]], n_best=[])
        >>> record = dict(clip_id='dev-1', signer='S1', reference=['REGEN', 'NORD'],
        ...               hypotheses=dict(average=best))
        >>> [path.name for path in write_predictions('dev', [record])]
        ['dev.jsonl', 'dev.reference.txt', 'dev.average.txt']
        >>> read_predictions('dev.jsonl') == [record]
        True
    """
    files = {
        '.jsonl': map(record_line, records),
        '.reference.txt': [_line(record['reference']) for record in records],
    }
    for output in records[0]['hypotheses'] if records else ():
        found = (record['hypotheses'][output] for record in records)
        files[f'.{output}.txt'] = [_line(words_of(hypothesis)) for hypothesis in found]
    paths = [Path(f'{os.fspath(prefix)}{suffix}') for suffix in files]
    for path, lines in zip(paths, files.values()):
        write_lines(path, lines)
    return paths


def record_line(record: dict) -> str:
    """A record as its line of a ``.jsonl`` file."""
    # What JSON has no number for is read back as null.
    finite = json.loads(json.dumps(record), parse_constant=lambda name: None)
    return json.dumps(finite, ensure_ascii=False, allow_nan=False)


def check_dump(prefix: str | os.PathLike) -> None:
    """Refuse to dump where that is impossible or would replace something else.

    Raises:
        ConfigError: Nothing can be written there, or ``{prefix}.jsonl`` exists and
            holds no predictions.
    """
    path = f'{os.fspath(prefix)}.jsonl'
    check_outputs([path])
    if os.path.isfile(path) and os.path.getsize(path):
        text = f'choose another name of the dump, or it replaces {path}'
        with explain(ConfigError, text, DataError):
            read_predictions(path)


def read_predictions(path: str | os.PathLike) -> list[dict]:
    """Read the records of a ``.jsonl`` file that ``write_predictions`` wrote.

    Raises:
        DataError: the file cannot be read; a line is no such record, or lacks an
            output that others have; a clip comes twice; there is no record. Names
            file and line.
    """
    records: dict[str, dict] = {}
    outputs = None
    for number, line in enumerate(read_lines(path), 1):
        where = f'{path}, line {number}'
        text = f'{where} is no prediction that a metric with `dump` wrote'
        with explain(DataError, text, *_NO_RECORD):
            record = json.loads(line)
            found = {name: words_of(one) for name, one in record['hypotheses'].items()}
            clip, reference = record['clip_id'], record['reference']
        where += f': clip {clip!r}'
        if clip in records:
            raise DataError(f'{where} comes a second time')
        if {type(value) for value in found.values()} != {type(reference)}:
            raise DataError(f'{where} has no hypothesis of the kind of its reference')
        outputs = outputs or found.keys()
        if found.keys() != outputs:
            raise DataError(f'{where} has {[*found]}, the clips before {[*outputs]}')
        records[clip] = record
    if not records:
        raise DataError(f'{path} holds no predictions')
    return list(records.values())


def words_of(hypothesis: dict) -> list[str] | str:
    """What is scored of one output's prediction: glosses, or the sentence."""
    return hypothesis['glosses' if 'glosses' in hypothesis else 'text']


def _line(words: Sequence[str] | str) -> str:
    # A sentence with a line break inside would shift all that follow.
    return ' '.join(words.split() if isinstance(words, str) else words)
