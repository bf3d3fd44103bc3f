import importlib.util
import json
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / 'tools' / 'analysis' / 'report.py'


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('report_tool', PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


def test_page_is_written(tool, dump, tmp_path, capsys):
    out = tmp_path / 'new' / 'page.html'
    arguments = [dump('x.jsonl', 'ROT'), str(out), '--corpus', 'phoenix2014']
    assert tool.main(arguments) == 0
    page = out.read_text(encoding='utf-8')
    assert '<h1>x</h1>' in page and 'clean-up phoenix2014' in page and '>50.0<' in page
    assert capsys.readouterr().out == f'{out}: 1 sentences\n'


def test_two_runs_of_the_same_name(tool, dump, tmp_path):
    paths = [dump('one/dev.jsonl', 'ROT'), dump('two/dev.jsonl', 'ROT BLAU')]
    out = tmp_path / 'page.html'
    assert tool.main([paths[0], str(out), '--compare', paths[1]]) == 0
    page = out.read_text(encoding='utf-8')
    assert f'<h1>{paths[0]} and {paths[1]}</h1>' in page


def test_frequencies_of_the_training_set(tool, dump, tmp_path):
    training = tmp_path / 'training.txt'
    training.write_text('BLAU BLAU\n' * 10, encoding='utf-8')
    out = tmp_path / 'page.html'
    arguments = [dump('x.jsonl', 'ROT'), str(out), '--training', str(training)]
    assert tool.main(arguments) == 0
    page = out.read_text(encoding='utf-8')
    assert '<th scope="row">20–99</th>' in page and 'in training' in page


def test_first_output_where_there_is_no_average(tool, dump, tmp_path):
    out = tmp_path / 'page.html'
    assert tool.main([dump('x.jsonl', 'ROT', output='video'), str(out)]) == 0
    assert 'of the output video.' in out.read_text(encoding='utf-8')


def test_faults(tool, dump, tmp_path, capsys):
    good, other = dump('x.jsonl', 'ROT'), dump('y.jsonl', 'ROT', output='video')
    out = str(tmp_path / 'page.html')
    for arguments, message in (
        (['none.jsonl', out], 'cannot read none.jsonl'),
        ([good, out, '--output', 'joint'], "no output 'joint'"),
        ([good, out, '--compare', other], "y has no output 'average'"),
        ([good, out, '--training', 'none.txt'], 'cannot read none.txt'),
        ([good, f'{good}/page.html'], 'cannot write'),
    ):
        assert tool.main(arguments) == 2
        error = capsys.readouterr().err
        assert message in error and len(error.splitlines()) == 1
