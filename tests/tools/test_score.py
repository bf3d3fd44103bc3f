import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / 'tools' / 'score.py'


def run(tmp_path, *arguments, ref=None, hyp=None):
    for name, text in (('ref.txt', ref), ('hyp.txt', hyp)):
        if text is not None:
            data = text if isinstance(text, bytes) else text.encode()
            (tmp_path / name).write_bytes(data)
    return subprocess.run(
        [sys.executable, SCRIPT, 'wer', 'ref.txt', 'hyp.txt', *arguments],
        cwd=tmp_path,
        capture_output=True,
        encoding='utf-8',
    )


def test_json(tmp_path):
    done = run(
        tmp_path, '--json', ref='ROT GRÜN BLAU\n\nGELB\n', hyp='ROT GRAU\nROT\nGELB\n'
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert json.loads(done.stdout) == dict(
        wer=75.0,
        substitutions=1,
        deletions=1,
        insertions=1,
        errors=3,
        reference_words=4,
        sentences=3,
        sentence_accuracy=pytest.approx(100 / 3),
    )


def test_table(tmp_path):
    done = run(tmp_path, ref='ROT BLAU\n', hyp='ROT\n')
    assert done.returncode == 0
    header, row = (line.split() for line in done.stdout.splitlines())
    assert header[:6] == ['output', 'WER', 'S', 'D', 'I', 'N']
    assert row[:6] == ['hyp.txt', '50.00', '0', '1', '0', '2']


@pytest.mark.parametrize(
    'corpus, errors, words',
    [
        ('none', 2, 4),
        ('csl-daily', 2, 4),
        ('phoenix2014', 0, 3),
        ('phoenix2014T', 1, 2),
    ],
)
def test_corpus(tmp_path, corpus, errors, words):
    ref, hyp = '__ON__ loc-ROT ROT HABEN2\n', '__ON__ ROT HABEN\n'
    done = run(tmp_path, '--corpus', corpus, '--json', ref=ref, hyp=hyp)
    found = json.loads(done.stdout)
    assert (found['errors'], found['reference_words']) == (errors, words)


@pytest.mark.parametrize('ending', ['', '\n', '\r\n'])
def test_ends_of_lines_and_file(tmp_path, ending):
    ref = '\ufeffROT\u2028BLAU\r\n\r\nGELB' + ending
    done = run(tmp_path, '--json', ref=ref, hyp='ROT BLAU\n\nGELB\n')
    found = json.loads(done.stdout)
    assert (found['errors'], found['sentences'], found['reference_words']) == (0, 3, 3)


@pytest.mark.parametrize(
    'ref, hyp, message',
    [
        ('ROT\n', None, 'cannot read hyp.txt: No such file or directory'),
        ('ROT\n', 'ROT\nBLAU\n', 'ref.txt has 1 lines and hyp.txt 2: expected one'),
        ('ROT\n\n', 'ROT\n', 'ref.txt has 2 lines and hyp.txt 1'),
        ('ROT\n', b'ROT\n\xe4\n', 'hyp.txt is not UTF-8: line 2 holds the byte 0xe4'),
        ('\n\n', 'ROT\n\n', 'ref.txt holds no word'),
        ('', '', 'ref.txt holds no word'),
    ],
)
def test_faults(tmp_path, ref, hyp, message):
    done = run(tmp_path, '--json', ref=ref, hyp=hyp)
    assert done.returncode == 2
    assert done.stdout == ''
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr


def test_command_line_that_does_not_fit(tmp_path):
    done = run(tmp_path, '--corpus', 'phoenix', ref='ROT\n', hyp='ROT\n')
    assert done.returncode == 2
    assert "'phoenix2014', 'phoenix2014T', 'csl-daily', 'none'" in done.stderr


def test_does_not_load_torch(tmp_path):
    # It starts at once because it does not; `-X importtime` lists what is loaded.
    done = subprocess.run(
        [sys.executable, '-X', 'importtime', SCRIPT, 'wer', '--help'],
        capture_output=True,
        encoding='utf-8',
    )
    assert done.returncode == 0
    assert 'mmsign.evaluation.wer' in done.stderr
    assert 'torch' not in done.stderr
    assert 'mmengine' not in done.stderr
