"""RWTH-PHOENIX-Weather 2014 and 2014T, as their authors ship them."""

from collections.abc import Sequence
from typing import ClassVar

from mmsign.errors import DataError
from mmsign.files import read_lines
from mmsign.registry import DATASETS

from .sign_dataset import SignDataset


def read_table(path: str, columns: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Read an annotation table: one row a line, ``|`` between fields, columns first.

    Nothing is quoted, so a quotation mark is a character like any other.

    Args:
        path: Of the file, UTF-8.
        columns: The names that the first line must have, in this order.

    Returns:
        For each row where it is, file and line, and its fields by column.

    Raises:
        DataError: Naming file and line, if it cannot be read or a row is broken.
    """
    rows = []
    for number, line in enumerate(read_lines(path), 1):
        where, fields = f'{path}, line {number}', line.split('|')
        if number == 1 and fields != list(columns):
            break
        if len(fields) != len(columns):
            raise DataError(
                f'{where}: expected {len(columns)} fields ({"|".join(columns)}), '
                f'found {len(fields)}: {line[:200]!r}'
            )
        rows.append((where, dict(zip(columns, fields))))
    if not rows:
        raise DataError(f'{path}, line 1: expected the columns {"|".join(columns)}')
    return rows[1:]


class _PhoenixDataset(SignDataset):
    """Both corpora: tables under ``annotations/manual``, frames as PNG images."""

    FRAMES = 'features/fullFrame-210x260px'
    FPS = 25.0
    COLUMNS: ClassVar[tuple[str, ...]]
    # Columns that hold the clip's name, signer, glosses and sentence.
    FIELDS: ClassVar[tuple[str, str, str, str | None]]

    @classmethod
    def read_annotations(cls, data_root: str, split: str) -> list[dict]:
        (path,) = cls.annotation_files(data_root, split)
        clip_id, signer, glosses, text = cls.FIELDS
        records = []
        for where, row in read_table(path, cls.COLUMNS):
            record = dict(clip_id=row[clip_id], signer=row[signer], num_frames=None)
            record |= dict(glosses=row[glosses].split(), text=row.get(text))
            records.append(record | dict(where=where))
        return records


@DATASETS.register_module()
class Phoenix2014Dataset(_PhoenixDataset):
    """RWTH-PHOENIX-Weather 2014, multi-signer: glosses, no sentences.

    ``annotations/manual/{split}.corpus.csv`` and
    ``features/fullFrame-210x260px/{split}/{clip_id}/1/*.png``; see
    ``SignDataset`` for the arguments.
    """

    METAINFO = dict(
        dataset='phoenix2014', gloss_cleanup='phoenix2014', level='word', language='de'
    )
    CLIP_FRAMES = '{split}/{clip_id}/1'
    ANNOTATIONS = ('annotations/manual/{split}.corpus.csv',)
    COLUMNS = ('id', 'folder', 'signer', 'annotation')
    FIELDS = ('id', 'signer', 'annotation', None)


@DATASETS.register_module()
class Phoenix2014SI5Dataset(Phoenix2014Dataset):
    """RWTH-PHOENIX-Weather 2014, signer-independent: signer 5 is not trained on.

    data_root is ``phoenix-2014-signerindependent-SI5`` of the release, with tables
    at ``annotations/manual/{split}.SI5.corpus.csv`` and frames as in
    ``Phoenix2014Dataset``. With the multi-signer frames alone, name them:
    ``frames='../phoenix-2014-multisigner/features/fullFrame-210x260px'``.
    """

    METAINFO = Phoenix2014Dataset.METAINFO | dict(dataset='phoenix2014si5')
    ANNOTATIONS = ('annotations/manual/{split}.SI5.corpus.csv',)


@DATASETS.register_module()
class Phoenix2014TDataset(_PhoenixDataset):
    """RWTH-PHOENIX-Weather 2014T: glosses and German sentences.

    ``annotations/manual/PHOENIX-2014-T.{split}.corpus.csv`` and
    ``features/fullFrame-210x260px/{split}/{clip_id}/*.png``; see ``SignDataset``
    for the arguments.
    """

    METAINFO = Phoenix2014Dataset.METAINFO | dict(
        dataset='phoenix2014T', gloss_cleanup='phoenix2014T'
    )
    ANNOTATIONS = ('annotations/manual/PHOENIX-2014-T.{split}.corpus.csv',)
    COLUMNS = ('name', 'video', 'start', 'end', 'speaker', 'orth', 'translation')
    FIELDS = ('name', 'speaker', 'orth', 'translation')
