"""Manifests as tables of Arrow."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mmsign.datasets import SignFolderDataset
from mmsign.datasets.io.tables import read_table
from mmsign.errors import DataError, MissingPackageError

ROWS = [
    dict(id='a', video=None, glosses=['SUN', 'RAIN'], split='train', fps=25.0, x=b'1'),
    dict(id='b', video='b.mp4', glosses=['ÜBER'], split='dev', fps=None, x=b'2'),
]


def write_folder(folder: Path, rows: list[dict], parts: int = 1) -> None:
    """As ``datasets`` saves it, as far as it is read."""
    import pyarrow as arrow

    folder.mkdir(parents=True)
    names = [f'data-{number:05}-of-{parts:05}.arrow' for number in range(parts)]
    for number, name in enumerate(names):
        table = arrow.Table.from_pylist(rows[number::parts])
        with arrow.ipc.new_stream(str(folder / name), table.schema) as out:
            out.write_table(table)
    state = dict(_data_files=[dict(filename=name) for name in names])
    (folder / 'state.json').write_text(json.dumps(state))
    (folder / 'dataset_info.json').write_text('{}')


@pytest.fixture
def parquet():
    return pytest.importorskip('pyarrow.parquet')


def clips(root: Path, split: str = 'train', **options) -> list[tuple]:
    corpus = SignFolderDataset(str(root), split, **options)
    infos = map(corpus.get_data_info, range(len(corpus)))
    return [(i['clip_id'], i['glosses'], i['source_fps']) for i in infos]


EXPECTED = [('a', ['SUN', 'RAIN'], 25.0)]


def test_parquet(parquet, tmp_path):
    import pyarrow as arrow

    parquet.write_table(arrow.Table.from_pylist(ROWS), tmp_path / 'manifest.parquet')
    assert clips(tmp_path) == EXPECTED
    assert clips(tmp_path, 'dev') == [('b', ['ÜBER'], None)]
    (where, row), _ = read_table(tmp_path / 'manifest.parquet', ['id', 'text'])
    assert where.endswith('manifest.parquet, row 1') and row == dict(id='a')
    bad = [dict(ROWS[0], glosses=3)]
    parquet.write_table(arrow.Table.from_pylist(bad), tmp_path / 'bad.parquet')
    with pytest.raises(DataError, match="bad.parquet, row 1: .* under 'glosses'"):
        clips(tmp_path, ann_file='bad.parquet')


def test_a_folder_of_datasets(parquet, tmp_path):
    write_folder(tmp_path / 'saved', ROWS, parts=2)
    assert clips(tmp_path, ann_file='saved') == EXPECTED
    assert clips(tmp_path / 'saved') == EXPECTED


def test_a_folder_of_splits(parquet, tmp_path):
    for row, split in zip(ROWS, ('train', 'validation')):
        row = {key: value for key, value in row.items() if key != 'split'}
        write_folder(tmp_path / split, [row])
    names = dict(splits=['train', 'validation'])
    (tmp_path / 'dataset_dict.json').write_text(json.dumps(names))
    assert clips(tmp_path) == EXPECTED
    assert clips(tmp_path, 'dev') == [('b', ['ÜBER'], None)]


def test_what_the_library_itself_saves(parquet, tmp_path):
    datasets = pytest.importorskip('datasets')
    table = datasets.Dataset.from_list([dict(row, x='') for row in ROWS])
    table.save_to_disk(tmp_path / 'one')
    assert clips(tmp_path, ann_file='one') == EXPECTED
    splits = dict(train=table.select([0]), validation=table.select([1]))
    datasets.DatasetDict(splits).save_to_disk(tmp_path / 'several')
    assert clips(tmp_path / 'several', 'dev') == [('b', ['ÜBER'], None)]


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('manifest.parquet', b'PAR1 no table'),
        ('state.json', b'{}'),
        ('state.json', b'{"_data_files": [{"filename": "../x.arrow"}]}'),
        ('state.json', b'{"_data_files": [{"filename": "gone.arrow"}]}'),
        ('state.json', b'{"_data_files": [{"filename": "state.json"}]}'),
        ('dataset_dict.json', b'{"splits": [".."]}'),
        ('dataset_dict.json', b'[1]'),
        ('dataset_dict.json', b'{"splits": ["train"]}'),
    ],
)
def test_broken_tables(parquet, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=str(tmp_path)):
        list(read_table(tmp_path / name, ['id']))


def test_without_pyarrow(tmp_path, monkeypatch):
    (tmp_path / 'manifest.parquet').write_bytes(b'PAR1')
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    with pytest.raises(MissingPackageError, match=r'mmsign\[files\]'):
        SignFolderDataset(str(tmp_path), 'train')
