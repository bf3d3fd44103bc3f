"""Anyone's corpus: a manifest that names the clips, and their videos."""

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence

from mmsign.errors import DataError, explain
from mmsign.files import read_lines, write_text
from mmsign.keypoints import parse_frame_size
from mmsign.registry import DATASETS

from .clip_names import is_legible
from .io.frame_times import checked_fps
from .io.listing import stretch_of
from .io.tables import FOLDER_FILES, PARQUET, read_table
from .sign_dataset import SignDataset, note_once

_REQUIRED = ('id', 'glosses', 'split')
_TIMES = ('start', 'end')
_OPTIONAL = ('video', 'text', 'signer', 'fps', 'frame_size', *_TIMES)


@DATASETS.register_module()
class SignFolderDataset(SignDataset):
    """Clips that a manifest lists, one a row.

    Columns (CSV, with a header, comma-separated; tables of Arrow) or keys (JSON lines):

    - ``id``: the clip's name, unique; it is looked up in the keypoint file;
    - ``video``: a video file, a folder of images or ``ARCHIVE.zip@FOLDER``,
      relative to data_root or absolute; may be missing or empty where keypoints
      alone are looked at, whose frames' size the keypoint file or ``frame_size`` says;
    - ``glosses``: with spaces between them (in JSON and tables also a list);
    - ``split``: train, dev or test;
    - ``text`` and ``signer``, which may be missing or empty;
    - ``fps``, likewise: frames per second of a folder of images, or of keypoints
      without a video. A video has times of its own;
    - ``frame_size``, likewise: ``WIDTHxHEIGHT`` of the frames in pixels, of keypoints
      without a video in a file that states none for all;
    - ``start`` and ``end``, likewise: the clip is what the video shows between them,
      in seconds; a recording may hold many clips.

    Others are passed over. ``metainfo=dict(gloss_cleanup=…, level=…, language=…)``
    says how the corpus is scored.

    Args:
        ann_file: The manifest, .csv, .jsonl, .parquet or a folder that Hugging Face's
            ``datasets`` saved, relative to data_root or absolute; None takes
            ``manifest.csv``, ``.jsonl`` or ``.parquet`` in data_root, or data_root
            itself as such a folder. May hold ``{split}``; a column ``split`` is needed
            all the same, but by a folder of several splits.
        **kwargs: See ``SignDataset``.
    """

    METAINFO = SignDataset.METAINFO | dict(dataset='sign_folder')
    ANNOTATIONS = (
        *('manifest.csv', 'manifest.jsonl', f'manifest{PARQUET}'),
        *FOLDER_FILES,
    )

    @classmethod
    def annotation_files(
        cls, data_root: str, split: str, ann_file: str | None = None
    ) -> list[str]:
        paths = super().annotation_files(data_root, split, ann_file)
        paths = [inside for path in paths for inside in _in_folder(path)]
        # Of the names one is enough.
        return [next(filter(os.path.isfile, paths), paths[0])]

    @classmethod
    def read_annotations(cls, data_root: str, split: str) -> list[dict]:
        (path,) = cls.annotation_files(data_root, split)
        return cls.read_ann_file(path, data_root, split)

    @classmethod
    def read_ann_file(cls, path: str, data_root: str, split: str) -> list[dict]:
        suffix = os.path.splitext(path)[1].lower()
        is_folder = os.path.basename(path) in FOLDER_FILES
        if not is_folder and suffix not in _READERS:
            kinds = ' or '.join(_READERS)
            raise DataError(f'{path}: a manifest is a file {kinds}, not {suffix!r}')
        records = []
        seen: dict[str, str] = {}
        for where, row in _READERS[PARQUET if is_folder else suffix](path):
            # In any split: keypoints are found by the name alone.
            note_once(seen, row['id'], where)
            if row['video'] and not is_legible(row['video']):
                raise DataError(f'{where}: {row["video"]!r} is no path')
            if cls.is_in(split, row['split'], where):
                video = row['video']
                frames = os.path.join(data_root, video) if video else ''
                frames = _stretch(frames, row, where)
                record = dict(clip_id=row['id'], frames=frames, num_frames=None)
                record |= dict(glosses=row['glosses'].split(), text=row['text'] or None)
                # A space behind a name would make another person of somebody.
                record |= dict(signer=row['signer'].strip(), where=where)
                record |= dict(source_fps=_rate(row['fps'], where))
                records.append(record | _size(row['frame_size'].strip(), where))
        return records


def write_rows(path: str | os.PathLike, rows: Sequence[dict[str, str]]) -> None:
    """Write a manifest, complete or not at all.

    Args:
        path: ``.csv``.
        rows: One or more, all with the same columns in the same order.
    """
    text = io.StringIO(newline='')
    writer = csv.DictWriter(text, list(rows[0]), lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _rate(text: str, where: str) -> float | None:
    with explain(DataError, f'{where}: fps {text!r}', ValueError):
        return checked_fps(float(text), 'it') if text.strip() else None


def _size(text: str, where: str) -> dict[str, tuple[int, int]]:
    with explain(DataError, f'{where}: frame_size', DataError):
        return dict(source_size=parse_frame_size(text)) if text else {}


def _stretch(frames: str, row: dict[str, str], where: str) -> str:
    """The frames, or what of them a row's ``start`` and ``end`` cut out."""
    start, end = (row[key].strip() for key in _TIMES)
    if not start and not end:
        return frames
    text = f'{where}: start {start!r} and end {end!r}'
    with explain(DataError, text, ValueError):
        if not 0 <= float(start) < float(end) < float('inf'):
            raise ValueError('expected seconds, the start before the end')
    if not frames:
        raise DataError(f'{text} of no video: name it under video')
    return stretch_of(frames, float(start), float(end))


def _csv_rows(path: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each row is, and its fields by column."""
    text = '\n'.join(read_lines(path))
    rows = csv.DictReader(io.StringIO(text, newline=''), strict=True)
    try:
        columns = rows.fieldnames or []
        if not set(_REQUIRED) <= set(columns) or len(set(columns)) < len(columns):
            raise DataError(
                f'{path}, line 1: expected the columns '
                f'id,video,glosses,split and perhaps {",".join(_OPTIONAL[1:])} '
                f'(keypoints alone do without video), not {",".join(columns)[:200]!r}'
            )
        for row in rows:
            where = f'{path}, line {rows.line_num}'
            if None in row or None in row.values():
                raise DataError(
                    f'{where}: expected {len(columns)} fields; quote commas'
                )
            yield where, dict.fromkeys(_OPTIONAL, '') | row
    except csv.Error as error:
        raise DataError(f'{path}, line {rows.line_num}: no CSV ({error})') from error


def _json_rows(path: str) -> Iterator[tuple[str, dict[str, str]]]:
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        where = f'{path}, line {number}'
        with explain(DataError, f'{where}: no JSON', ValueError, RecursionError):
            row = json.loads(line)
        if not isinstance(row, dict):
            raise DataError(f'{where}: expected an object, found {line[:80]!r}')
        yield where, {key: _text(row, key, where) for key in _REQUIRED + _OPTIONAL}


def _table_rows(path: str) -> Iterator[tuple[str, dict[str, str]]]:
    columns = _REQUIRED + _OPTIONAL
    for where, row in read_table(path, columns):
        yield where, {key: _text(row, key, where) for key in columns}


def _in_folder(path: str) -> list[str]:
    """The files that a folder of ``datasets`` may begin with; of a file itself."""
    return (
        [os.path.join(path, n) for n in FOLDER_FILES] if os.path.isdir(path) else [path]
    )


def _text(row: dict, key: str, where: str) -> str:
    value = row.get(key)
    if key in ('id', 'signer') and type(value) is int:
        return str(value)
    if key in ('fps', *_TIMES) and type(value) in (int, float):
        return repr(value)
    if value is None and key in _OPTIONAL:
        return ''
    if key == 'glosses' and isinstance(value, list):
        if all(isinstance(gloss, str) and gloss.split() == [gloss] for gloss in value):
            return ' '.join(value)
        raise DataError(f'{where}: glosses are strings without spaces inside')
    if not isinstance(value, str):
        found = 'nothing' if value is None else type(value).__name__
        raise DataError(f'{where}: expected a string under {key!r}, found {found}')
    return value


_READERS = {'.csv': _csv_rows, '.jsonl': _json_rows, PARQUET: _table_rows}
