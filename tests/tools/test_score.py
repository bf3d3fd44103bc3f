import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_run import load_tool

from mmsign.engine.launch import reported_errors

SCRIPT = Path(__file__).resolve().parents[2] / 'tools' / 'score.py'


def call(tmp_path, *arguments, **env):
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)],
        cwd=tmp_path,
        capture_output=True,
        encoding='utf-8',
        env=os.environ | env,
    )


@pytest.fixture
def call_here(monkeypatch, capsys):
    """``call`` without a process of its own, of which there is one for each measure."""
    main = load_tool('score').main

    def call_here(tmp_path, *arguments) -> subprocess.CompletedProcess:
        monkeypatch.chdir(tmp_path)
        status = 0
        try:
            with reported_errors(2):
                main(list(map(str, arguments)))
        except SystemExit as ended:
            status = ended.code
        return subprocess.CompletedProcess(arguments, status, *capsys.readouterr())

    return call_here


def run(tmp_path, *arguments, ref=None, hyp=None, measure='wer', call=call):
    for name, text in (('ref.txt', ref), ('hyp.txt', hyp)):
        if text is not None:
            data = text if isinstance(text, bytes) else text.encode()
            (tmp_path / name).write_bytes(data)
    return call(tmp_path, measure, 'ref.txt', 'hyp.txt', *arguments)


def test_both_costs(tmp_path, call_here):
    pytest.importorskip('jiwer')
    texts = dict(ref='A B C D E\n', hyp='D E X Y Z\n')
    done = run(tmp_path, '--costs', 'levenshtein', call=call_here, **texts)
    rows = [line.split()[:2] for line in done.stdout.splitlines()]
    assert rows[1:] == [['hyp.txt', '120.00'], ['levenshtein', '100.00']]
    options = '--costs', 'levenshtein', '--json'
    found = json.loads(run(tmp_path, *options, call=call_here, **texts).stdout)
    assert (found['errors'], found['levenshtein']['errors']) == (6, 5)


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
def test_corpus(call_here, tmp_path, corpus, errors, words):
    ref, hyp = '__ON__ loc-ROT ROT HABEN2\n', '__ON__ ROT HABEN\n'
    done = run(tmp_path, '--corpus', corpus, '--json', ref=ref, hyp=hyp, call=call_here)
    found = json.loads(done.stdout)
    assert (found['errors'], found['reference_words']) == (errors, words)


@pytest.mark.parametrize('ending', ['', '\n', '\r\n'])
def test_ends_of_lines_and_file(call_here, tmp_path, ending):
    ref = '\ufeffROT\u2028BLAU\r\n\r\nGELB' + ending
    done = run(tmp_path, '--json', ref=ref, hyp='ROT BLAU\n\nGELB\n', call=call_here)
    found = json.loads(done.stdout)
    assert (found['errors'], found['sentences'], found['reference_words']) == (0, 3, 3)


@pytest.mark.parametrize(
    'ref, hyp, names',
    [
        ('ROT\n', None, ['hyp.txt']),
        ('ROT\n', 'ROT\nBLAU\n', ['ref.txt has 1', 'hyp.txt 2']),
        ('ROT\n\n', 'ROT\n', ['ref.txt has 2', 'hyp.txt 1']),
        ('ROT\n', b'ROT\n\xe4\n', ['hyp.txt', 'line 2', '0xe4']),
        ('\n\n', 'ROT\n\n', ['ref.txt']),
        ('', '', ['ref.txt']),
    ],
)
@pytest.mark.parametrize('measure', ['wer', 'bleu'])
def test_faults(call_here, tmp_path, ref, hyp, names, measure):
    options = ['--json'] if measure == 'wer' else ['--json', '--lang', 'de']
    files = dict(ref=ref, hyp=hyp, measure=measure)
    refused(run(tmp_path, *options, **files, call=call_here), *names)


def refused(done: subprocess.CompletedProcess, *names: str) -> None:
    assert (done.returncode, done.stdout) == (2, '')
    assert len(done.stderr.splitlines()) == 1
    assert all(name in done.stderr for name in names)


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='no /dev/full')
def test_output_that_cannot_be_printed(tmp_path):
    (tmp_path / 'a.txt').write_text('ROT\n')
    with open('/dev/full', 'w') as full:
        done = subprocess.run(
            [sys.executable, SCRIPT, 'wer', 'a.txt', 'a.txt'],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            encoding='utf-8',
        )
    assert done.returncode == 2 and 'No space left' in done.stderr
    assert len(done.stderr.splitlines()) == 1


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
    assert 'sacrebleu' not in done.stderr
    assert 'mmengine' not in done.stderr


def test_bleu_json(tmp_path):
    pytest.importorskip('sacrebleu')
    ref = 'am tag regnet es .\nim norden schnee .\n'
    hyp = 'am tag regnet es .\n\n'
    done = run(tmp_path, '--lang', 'de', '--json', ref=ref, hyp=hyp, measure='bleu')
    assert (done.returncode, done.stderr) == (0, '')
    found = json.loads(done.stdout)
    assert list(found) == [
        'bleu1', 'bleu2', 'bleu3', 'bleu4', 'rouge_l', 'rouge_l_beta1_2', 'chrf',
        'signature',
    ]  # fmt: skip
    # Five of nine words are said, all of them right.
    assert found['bleu4'] == pytest.approx(100 * 2.718281828 ** (1 - 9 / 5))
    assert found['rouge_l'] == found['rouge_l_beta1_2'] == 50
    assert 'tok:none' in found['signature']


def test_bleu_of_chinese_is_by_characters(tmp_path):
    pytest.importorskip('sacrebleu')
    files = dict(ref='今天 下雨 。\n', hyp='今天下雨。\n', measure='bleu')
    done = run(tmp_path, '--lang', 'zh', **files)
    header, row, signature = (line.split() for line in done.stdout.splitlines())
    assert header[1:5] == ['BLEU-1', 'BLEU-2', 'BLEU-3', 'BLEU-4']
    assert row[:6] == ['hyp.txt', *['100.00'] * 5]
    assert 'tok:char' in signature[1]


def test_bleu_without_sacrebleu(tmp_path):
    (tmp_path / 'hidden').mkdir()
    (tmp_path / 'hidden' / 'sacrebleu.py').write_text('raise ImportError("none")\n')
    for name in ('ref.txt', 'hyp.txt'):
        (tmp_path / name).write_text('a\n')
    done = call(
        tmp_path, 'bleu', 'ref.txt', 'hyp.txt', '--lang', 'de', PYTHONPATH='hidden'
    )
    refused(done, 'pip install "mmsign[translation]"')


STM = 'b 1 s1 0.0 9.0 ROT ROT A B\na 1 s1 0.0 9.0 NORD\nc 1 s1 0.0 9.0 BLAU\n'
CTM = 'b 1 2.0 0.5 A\nb 1 10.0 0.5 B\nb 1 0.0 0.5 loc-ROT\na 1 0.0 0.5 NORDRAUM\n'


@pytest.mark.parametrize(
    'arguments, counts',
    [
        ((), (2, 2, 0, 6)),  # as they are
        (('--protocol', 'paper'), (0, 1, 0, 4)),
        (('--corpus', 'phoenix2014'), (0, 1, 0, 4)),
        (('--protocol', 'official'), (1, 1, 0, 6)),
        (('--protocol', 'official', '--corpus', 'phoenix2014'), (1, 1, 0, 6)),
    ],
)
def test_stm_and_ctm(call_here, tmp_path, arguments, counts):
    (tmp_path / 'x.stm').write_text(STM)
    (tmp_path / 'x.ctm').write_text(CTM)
    done = call_here(tmp_path, 'wer', 'x.stm', 'x.ctm', '--json', *arguments)
    found = json.loads(done.stdout)
    names = ('substitutions', 'deletions', 'insertions', 'reference_words')
    assert tuple(found[name] for name in names) == counts
    assert found['sentences'] == 3


def test_signers_of_an_stm_file(call_here, tmp_path):
    (tmp_path / 'x.stm').write_text(
        STM.replace('a 1 s1', 'a 1 s2') + 'd 1 unknown 0 9 X\n'
    )
    (tmp_path / 'x.ctm').write_text(CTM)
    command = tmp_path, 'wer', 'x.stm', 'x.ctm', '--train-signers', 's2', 'unknown'
    said = call_here(*command).stdout
    rows = [line.split() for line in said.split('\n\n')[1].splitlines()]
    assert rows[1:] == [['s1', '2', '5', '60.00'], ['s2', '1', '1', '100.00']]
    assert '1 of 2 signers are in the training split too (s2)' in said
    done = call_here(*command, '--json')
    assert json.loads(done.stdout)['sentences'] == 4 and '(s2)' in done.stderr
    assert call_here(*command[:-3], '--json').stderr == ''


@pytest.mark.parametrize(
    'files, arguments, names',
    [
        (('x.ctm', 'x.stm'), (), ['x.ctm', 'x.stm']),
        (('x.stm', 'x.txt'), (), ['x.stm', 'x.txt']),
        (('x.stm', 'more.ctm'), (), ['more.ctm', 'x.stm', "'d'"]),
        (('x.stm', 'bad.ctm'), (), ['bad.ctm, line 1']),
        (
            ('x.stm', 'x.ctm'),
            ('--protocol', 'official', '--corpus', 'phoenix2014T'),
            ['phoenix2014T'],
        ),
    ],
)
def test_stm_and_ctm_faults(call_here, tmp_path, files, arguments, names):
    (tmp_path / 'x.stm').write_text(STM)
    (tmp_path / 'x.ctm').write_text(CTM)
    (tmp_path / 'more.ctm').write_text(CTM + 'd 1 0.0 0.5 ROT\n')
    (tmp_path / 'bad.ctm').write_text('ROT BLAU\n')
    refused(call_here(tmp_path, 'wer', *files, *arguments), *names)


def test_verify_sclite(tmp_path):
    fake = tmp_path / 'sclite'
    fake.write_text(
        '#!/bin/sh\necho "id: (s-0)"\necho "Scores: (#C #S #D #I) 1 1 0 0"\n'
    )
    fake.chmod(0o755)
    path = f'{tmp_path}{os.pathsep}{os.environ["PATH"]}'
    for hypothesis, status, message in (
        ('BLAU', 0, 'sclite counts the same'),
        ('ROT', 2, 'sclite counts otherwise in 1 of 1 sentences'),
    ):
        (tmp_path / 'ref.txt').write_text('ROT\n')
        (tmp_path / 'hyp.txt').write_text(f'{hypothesis}\n')
        arguments = ('wer', 'ref.txt', 'hyp.txt', '--verify-sclite')
        done = call(tmp_path, *arguments, PATH=path)
        assert done.returncode == status
        assert message in done.stderr
        assert bool(done.stdout) == (status == 0)


def test_align(tmp_path):
    files = dict(ref='ROT BLAU\nGELB GRÜN\n\n', hyp='ROT BLAU\nGRAU\nX\n')
    arguments = ('--sort', 'wer', '--limit', '2')
    done = run(tmp_path, *arguments, **files, measure='align')
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        'line 3: WER inf, S 0, D 0, I 1, N 0',
        'REF  ***',
        'HYP  X',
        '     I',
        '',
        'line 2: WER 100.00, S 1, D 1, I 0, N 2',
        'REF  GELB GRÜN',
        'HYP  ***  GRAU',
        '     D    S',
        '',
        'substituted: 1',
        '     1  GRÜN -> GRAU',
        'deleted: 1',
        '     1  GELB',
        'inserted: 1',
        '     1  X',
    ]
    done = run(tmp_path, '--limit', '1', **files, measure='align')
    assert done.stdout.startswith('line 1: WER 0.00, S 0, D 0, I 0, N 2\nREF  ROT BLAU')


def test_single_signs_of_text_files(tmp_path, call_here):
    files = dict(ref='SUN\nRAIN\n\n', hyp='SUN RAIN\nSUN RAIN WIND\n\n')
    done = run(tmp_path, '--json', **files, measure='signs')
    assert (done.returncode, done.stderr) == (0, '')
    found = json.loads(done.stdout)
    assert (found['accuracy@1'], found['accuracy@5']) == (50, 100)
    assert found['signs']['RAIN']['accuracy@1'] == found['false_accepts'] == 0
    assert found['confusions'] == [['RAIN', 'SUN', 1]] and 'signers' not in found
    done = run(tmp_path, **files, measure='signs', call=call_here)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ['RAIN', '1', '0.00', '100.00', '0.00', 'SUN', '1'] in rows
    for wrong in ('SUN RAIN\n\n\n', 'SUN\n'):
        refused(run(tmp_path, **files | dict(ref=wrong), measure='signs'), 'ref.txt')


def test_single_signs_of_a_dump(tmp_path, call_here):
    def line(clip: str, signer: str, reference: str, *names: str, none=False) -> str:
        best = [dict(gloss=name, confidence=0.5) for name in names]
        sign = dict(n_best=best, no_sign=0.1, none_of_these=none)
        found = dict(average=dict(glosses=[], single_sign=sign))
        record = dict(clip_id=clip, signer=signer, reference=reference.split())
        return json.dumps(record | dict(hypotheses=found)) + '\n'

    lines = line('a', 'Ann', 'SUN', 'SUN'), line('b', 'Bob', 'SUN', 'RAIN', 'SUN')
    idle = line('c', 'Bob', '', 'RAIN')
    (tmp_path / 'dev.jsonl').write_text(''.join((*lines, idle)))
    done = call_here(tmp_path, 'signs', 'dev.jsonl')
    rows = [row.split() for row in done.stdout.splitlines()]
    assert ['Bob', '1', '0.00', '100.00', '0.00', 'RAIN', '1'] in rows
    assert 'believed in idle clips: RAIN 1' in done.stdout
    found = json.loads(call_here(tmp_path, 'signs', 'dev.jsonl', '--json').stdout)
    assert found['signers']['Ann']['accuracy@1'] == found['false_accepts'] == 100
    refused(call_here(tmp_path, 'signs', 'dev.jsonl', '--output', 'joint'), 'joint')
    sentence = json.loads(lines[0])
    del sentence['hypotheses']['average']['single_sign']
    (tmp_path / 'dev.jsonl').write_text(json.dumps(sentence) + '\n')
    refused(call_here(tmp_path, 'signs', 'dev.jsonl'), 'no clip of a single sign')


def test_export(tmp_path):
    hypothesis = dict(glosses=['ROT'], score=-1.0, spans=[[25, 50]], n_best=[])
    record = dict(
        clip_id='a', signer='s1', reference=['ROT'], hypotheses=dict(average=hypothesis)
    )
    (tmp_path / 'dev.jsonl').write_text(json.dumps(record) + '\n')
    for name in ('x.stm', 'x.ctm'):
        done = call(tmp_path, 'export', 'dev.jsonl', name)
        assert (done.returncode, done.stdout) == (0, f'{name}: 1 clips\n')
    assert (tmp_path / 'x.ctm').read_text() == 'a 1 00001.000 1.000 ROT\n'
    done = call(tmp_path, 'wer', 'x.stm', 'x.ctm', '--protocol', 'official', '--json')
    assert json.loads(done.stdout)['wer'] == 0
    assert (tmp_path / 'dev.jsonl').read_text() == json.dumps(record) + '\n'
    for arguments, name in (
        (('dev.jsonl', 'x.ctm', '--output', 'joint'), 'joint'),
        (('none.jsonl', 'x.ctm'), 'none.jsonl'),
        (('dev.jsonl', 'dev.jsonl/x.ctm'), 'dev.jsonl/x.ctm'),
        (('dev.jsonl', 'dev.jsonl'), 'dev.jsonl'),
    ):
        refused(call(tmp_path, 'export', *arguments), name)
    for fps in ('0', 'inf', '1e-9'):
        done = call(tmp_path, 'export', 'dev.jsonl', 'x.ctm', '--fps', fps)
        assert done.returncode == 2 and '--fps' in done.stderr
