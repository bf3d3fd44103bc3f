import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_run import TOOLS, load_tool

from mmsign.datasets.phoenix import Phoenix2014TDataset
from mmsign.engine.launch import reported_errors
from mmsign.toy.grammar import translate
from mmsign.toy.variants import HARD, SIBLINGS

SMALL = [
    '--train',
    '1',
    '--dev',
    '1',
    '--test',
    '1',
    '--citations',
    '0',
    '--size',
    '42x52',
    '--workers',
    '1',
]


@pytest.fixture
def run(monkeypatch):
    """Run the tool as its command would."""
    main = load_tool('data/make_toy_corpus').main

    def run(*arguments: object) -> None:
        monkeypatch.setattr('sys.argv', ['make_toy_corpus.py', *map(str, arguments)])
        with reported_errors():
            main()

    return run


@pytest.fixture
def refused(run, capsys):
    """What the tool says when it ends with an error."""

    def refused(*arguments: object) -> str:
        with pytest.raises(SystemExit) as caught:
            run(*arguments)
        assert caught.value.code != 0
        return capsys.readouterr().err

    return refused


@pytest.fixture(scope='module')
def corpus(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('toy') / 'corpus'
    command = [sys.executable, TOOLS / 'data' / 'make_toy_corpus.py', root, *SMALL]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '3/3 clips' in done.stdout
    return root


def test_a_second_run_does_nothing(corpus, run, capsys):
    before = (corpus / 'keypoints.safetensors').stat().st_mtime_ns
    run(corpus, *SMALL)
    assert 'holds this corpus already' in capsys.readouterr().out
    assert (corpus / 'keypoints.safetensors').stat().st_mtime_ns == before


def test_other_options_do_not_overwrite(corpus, refused):
    assert 'other options' in refused(corpus, *SMALL, '--seed', 7)


def test_a_corpus_from_before_there_were_variants_is_the_usual_one(
    corpus, tmp_path, run, capsys
):
    options = json.loads((corpus / 'toy_corpus.json').read_text())
    assert options.pop('variant') == 'usual'
    (tmp_path / 'toy_corpus.json').write_text(json.dumps(options))
    run(tmp_path, *SMALL)
    assert 'holds this corpus already' in capsys.readouterr().out


def test_the_hard_variant(tmp_path, run, refused):
    small = SMALL.copy()
    small[small.index('--train') + 1] = '3'
    run(tmp_path, *small, '--variant', 'hard')
    clips = Phoenix2014TDataset(data_root=str(tmp_path), split='train')
    infos = [clips.get_data_info(index) for index in range(3)]
    glosses = {gloss for info in infos for gloss in info['glosses']}
    assert glosses <= HARD.lexicon.keys() and glosses & SIBLINGS.keys()
    assert all(info['text'] == translate(info['glosses'], HARD.slots) for info in infos)
    assert 'other options' in refused(tmp_path, *small)


def test_a_foreign_folder_is_left_alone(tmp_path, refused):
    (tmp_path / 'mine.txt').write_text('mine')
    assert 'something else' in refused(tmp_path, *SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ['mine.txt']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--size', '84'], 'WIDTHxHEIGHT'),
        (['--difficulty', 9], 'between 0 and 5'),
        (['--annotations', 'nowhere'], 'nowhere holds no'),
        (['--annotations', 'nowhere', '--variant', 'hard'], 'leave one of them out'),
    ],
)
def test_impossible_options(tmp_path, arguments, message, refused):
    assert message in refused(tmp_path / 'corpus', *arguments)
    assert not (tmp_path / 'corpus').exists()
