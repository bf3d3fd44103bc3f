"""Files of references and hypotheses, for people and for ``tools/score.py``."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path


def write_predictions(prefix: str | os.PathLike, records: Sequence[dict]) -> list[Path]:
    """Write the predictions of a corpus, replacing files of an earlier call.

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
            score). Every record has the same outputs.

    Returns:
        The files written.
    """
    outputs = list(records[0]['hypotheses']) if records else []
    texts = {'reference': [_line(record['reference']) for record in records]}
    for output in outputs:
        found = (record['hypotheses'][output] for record in records)
        texts[output] = [
            _line(h['glosses'] if 'glosses' in h else h['text']) for h in found
        ]
    files = {
        '.jsonl': (
            json.dumps(_finite(record), ensure_ascii=False, allow_nan=False)
            for record in records
        )
    }
    files |= {f'.{name}.txt': lines for name, lines in texts.items()}
    paths = []
    for suffix, lines in files.items():
        path = Path(f'{os.fspath(prefix)}{suffix}')
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_lines(path, lines)
        paths.append(path)
    return paths


def _line(words: Sequence[str] | str) -> str:
    # A sentence with a line break inside would shift all that follow.
    return ' '.join(words.split() if isinstance(words, str) else words)


def _finite(value):
    """Replace what JSON has no number for."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    # A reader, or a second look after a crash, must not find half a file.
    partial = path.with_name(f'{path.name}.{os.getpid()}.part')
    try:
        with open(partial, 'w', encoding='utf-8', newline='\n') as file:
            file.writelines(f'{line}\n' for line in lines)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
