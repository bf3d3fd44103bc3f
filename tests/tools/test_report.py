from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_run import load_tool

from mmsign.errors import ConfigError

tool = load_tool('analysis/report')


@pytest.fixture
def dump(tmp_path):
    """Write a dump of one clip; gives its path."""

    def write(name, hypothesis, output='average'):
        record = dict(
            clip_id='a',
            signer='s1',
            reference=['loc-ROT', 'BLAU'],
            hypotheses={output: dict(glosses=hypothesis.split())},
        )
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(record) + '\n', encoding='utf-8')
        return str(path)

    return write


@pytest.fixture
def page(tmp_path):
    def page(predictions, *options):
        out = tmp_path / 'new' / 'page.html'
        tool.main([predictions, str(out), *options])
        return out.read_text(encoding='utf-8')

    return page


def test_the_page_is_written(dump, page, capsys):
    text = page(dump('x.jsonl', 'ROT'), '--corpus', 'phoenix2014')
    assert '<h1>x</h1>' in text and 'clean-up phoenix2014' in text and '>50.0<' in text
    assert capsys.readouterr().out.endswith('page.html: 1 sentences\n')


def test_both_costs(dump, page):
    pytest.importorskip('jiwer')
    assert 'at unit costs' in page(dump('x.jsonl', 'ROT'), '--costs', 'levenshtein')


def test_two_runs_of_the_same_name(dump, page):
    paths = [dump('one/dev.jsonl', 'ROT'), dump('two/dev.jsonl', 'ROT BLAU')]
    text = page(paths[0], '--compare', paths[1])
    assert '<h1>one/dev and two/dev</h1>' in text


def test_frequencies_of_the_training_set(dump, page, tmp_path):
    training = tmp_path / 'training.txt'
    training.write_text('BLAU BLAU\n' * 10, encoding='utf-8')
    text = page(dump('x.jsonl', 'ROT'), '--training', str(training))
    assert '<th scope="row">20–99</th>' in text and 'in training' in text


def test_first_output_where_there_is_no_average(dump, page):
    assert 'of the output video.' in page(dump('x.jsonl', 'ROT', output='video'))


def test_predictions_are_never_written_over(dump, tmp_path):
    paths = [dump('x.jsonl', 'ROT'), dump('y.jsonl', 'ROT BLAU')]
    before = [Path(path).read_text() for path in paths]
    # `--compare` is forgotten; a page is named as one of the inputs.
    link = tmp_path / 'link.html'
    link.symlink_to(paths[1])
    for arguments in (paths, [paths[0], str(link), '--compare', paths[1]]):
        with pytest.raises(ConfigError, match=arguments[1]):
            tool.main(arguments)
    assert [Path(path).read_text() for path in paths] == before


@pytest.mark.parametrize(
    ('arguments', 'name'),
    [
        (['none.jsonl', 'out.html'], r'none\.jsonl'),
        (['GOOD', 'out.html', '--output', 'joint'], 'joint'),
        (['GOOD', 'out.html', '--compare', 'OTHER'], 'y has no'),
        (['GOOD', 'out.html', '--training', 'none.txt'], r'none\.txt'),
        (['GOOD', 'GOOD/page.html'], r'x\.jsonl'),
    ],
)
def test_faults(dump, tmp_path, monkeypatch, arguments, name):
    monkeypatch.chdir(tmp_path)
    dump('x.jsonl', 'ROT'), dump('y.jsonl', 'ROT', output='video')
    names = (('GOOD', 'x.jsonl'), ('OTHER', 'y.jsonl'))
    for stand_in, file in names:
        arguments = [argument.replace(stand_in, file) for argument in arguments]
    with pytest.raises((ValueError, OSError), match=name):
        tool.main(arguments)
    assert not (tmp_path / 'out.html').exists()
