"""Dumped predictions as files that other scorers read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mmsign.errors import DataError

from .ctm import CtmWord, write_ctm
from .stm import StmSegment, write_stm


def export_predictions(
    records: Sequence[dict],
    path: str | os.PathLike,
    output: str = 'average',
    fps: float = 25.0,
) -> None:
    """Write one output as CTM, or the references as STM.

    Args:
        records: As ``read_predictions`` gives them, of glosses.
        path: Ends in ``.ctm`` or ``.stm``, which decides what is written.
        output: The output of the model whose glosses a CTM file is to hold.
        fps: Frames per second of the videos: spans count frames, CTM files seconds.

    Raises:
        ValueError: the records hold sentences; no such output; another ending; a
            gloss or name that the format cannot hold.
        OSError: the file cannot be written.
    """
    if isinstance(records[0]['reference'], str):
        raise DataError('these predictions are sentences; CTM and STM hold glosses')
    kind = Path(path).suffix.lower()
    if kind == '.stm':
        write_stm(
            path,
            {
                record['clip_id']: StmSegment(
                    tuple(record['reference']), record.get('signer') or 'unknown'
                )
                for record in records
            },
        )
    elif kind == '.ctm':
        outputs = records[0]['hypotheses']
        if output not in outputs:
            raise DataError(
                f'there is no output {output!r} in these predictions, only '
                f'{", ".join(outputs)}'
            )
        write_ctm(
            path,
            {
                record['clip_id']: _timed_words(record['hypotheses'][output], fps)
                for record in records
            },
        )
    else:
        raise DataError(f'{path} ends neither in .ctm nor in .stm')


def _timed_words(hypothesis: dict, fps: float) -> list[CtmWord]:
    return [
        CtmWord(gloss, start / fps, (end - start) / fps)
        for gloss, (start, end) in zip(hypothesis['glosses'], hypothesis['spans'])
    ]
