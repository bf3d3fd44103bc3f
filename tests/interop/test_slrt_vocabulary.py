from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mmsign.errors import CheckpointError
from mmsign.interop.slrt_vocabulary import (
    check_class_count,
    read_checkpoint_vocabulary,
)
from mmsign.vocab import GlossVocabulary


def test_text_files(tmp_path):
    path = tmp_path / 'glosses.txt'
    path.write_text('regen\nüben\n', encoding='utf-8')
    assert read_checkpoint_vocabulary(path).glosses == ('regen', 'üben')
    with pytest.raises(FileNotFoundError, match='gone.txt does not exist'):
        read_checkpoint_vocabulary(tmp_path / 'gone.txt')


def test_pickles_are_told_from_texts(tmp_path):
    content = {'<s>': 0, 'regen': 1, 'üben': 2, 'ueben': 2}
    for name in ('gloss2ids.pkl', 'anything'):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(content))
        vocab = read_checkpoint_vocabulary(path, ['REGEN'])
        assert vocab.glosses == ('REGEN', 'üben')
        assert vocab.aliases['ueben'] == 'üben'


def test_pickles_run_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('gloss2ids.pkl').write_bytes(b"cos\nmkdir\n(S'executed'\ntR.")
    with pytest.raises(ValueError, match='gloss2ids.pkl'):
        read_checkpoint_vocabulary('gloss2ids.pkl')
    assert not Path('executed').exists()


def test_class_counts():
    vocab = GlossVocabulary(['a', 'b', 'c'])
    check_class_count(vocab, {'x': 4, 'y': 4}, 'v.txt', 'x.pth')
    for classes, message in (
        ({'x': 4, 'y': 5}, 'x.pth: the heads have different numbers.*x 4, y 5'),
        (
            {'x': 6},
            r'x.pth has 6 classes \(the blank and 5 glosses\), v.txt has 3 '
            'glosses: 2 too few. Take the gloss2ids.pkl',
        ),
        ({'x': 3}, "1 too many. Its first line, 'a', may be the blank"),
    ):
        with pytest.raises(CheckpointError, match=message):
            check_class_count(vocab, classes, 'v.txt', 'x.pth')
