"""A recognized clip in the files that the tools write."""

from __future__ import annotations

import json
from pathlib import Path

from mmsign.files import LineWriter

from .drawing import write_annotated_video, write_picture
from .inferencer import ClipJob
from .network import Network
from .records import ClipResult
from .transcripts import write_transcript

DRAWN = {'.mp4': write_annotated_video, '.png': write_picture}
KINDS = ('.jsonl', *DRAWN, '.eaf', '.srt', '.vtt')


def json_line(result: ClipResult) -> str:
    """The record of a clip as a line of JSON."""
    return json.dumps(result.to_dict(), ensure_ascii=False)


def write_result(
    path: str, result: ClipResult, network: Network, job: ClipJob | None = None
) -> None:
    """Write what was recognized in one clip.

    Args:
        path: Of one of ``KINDS``.
        result: Of the clip.
        network: That recognized it.
        job: The clip itself, which is drawn in ``DRAWN``.

    Raises:
        ClipError, DataError, ConfigError, OSError: If that cannot be written; see
            ``write_picture``, ``write_annotated_video`` and ``write_transcript``.
    """
    kind = Path(path).suffix.lower()
    if kind in DRAWN:
        DRAWN[kind](path, network, job, result)
    elif kind == '.jsonl':
        LineWriter(path).write(json_line(result))
    else:
        write_transcript(path, result)
