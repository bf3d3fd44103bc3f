import pytest
from tiny_run import load_tool

from mmsign.errors import ConfigError

prepare = load_tool('data/prepare')


def test_a_complete_corpus(phoenix_tree, tmp_path, capsys):
    vocab = tmp_path / 'vocab.txt'
    root = str(phoenix_tree)
    assert prepare.main(['phoenix2014T', root, '--vocab', str(vocab)]) == 0
    output = capsys.readouterr().out
    assert 'train: 2 clips, 3 glosses, 3 different, 2 signers' in output
    assert 'frames per clip:  min 7, median 9.5, mean 9.5, max 12' in output
    assert vocab.read_text() == 'NORD\nREGEN\nSONNE\n'


def test_something_is_missing(phoenix_tree, tmp_path, capsys):
    arguments = ['phoenix2014T', str(phoenix_tree), '--frames', str(tmp_path)]
    assert prepare.main(arguments) == 1
    assert 'MISSING frames: 2 clips' in capsys.readouterr().out
    assert prepare.main([*arguments, '--no-frames']) == 0
    assert prepare.main(['phoenix2014si5', str(phoenix_tree)]) == 1
    output = capsys.readouterr().out
    assert output.count('MISSING  ') == 3 and 'train.SI5.corpus.csv' in output
    assert prepare.main(['csl-daily', str(tmp_path)]) == 1
    assert 'split_1.txt' in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_splits_by_signer(phoenix_tree, capsys):
    arguments = ['phoenix2014T', str(phoenix_tree), '--no-frames']
    assert prepare.main([*arguments, '--test-signers', 'Sb']) == 0
    said = capsys.readouterr().out
    assert 'train: 2 clips' in said and 'test: 3 clips' in said
    # By the annotations both are trained on; now one is not.
    assert 'notice: dev: Sa' in said and 'notice: test' not in said
    assert prepare.main([*arguments, '--test-signers', 'Sb', '--dev-signers']) == 0
    assert 'train: 3 clips' in capsys.readouterr().out


def test_no_folder(tmp_path):
    with pytest.raises(ConfigError, match='gone'):
        prepare.main(['folder', str(tmp_path / 'gone')])
