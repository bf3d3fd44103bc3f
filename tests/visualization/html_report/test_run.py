import json

import pytest

from mmsign.errors import ConfigError, DataError
from mmsign.evaluation import WordErrors, write_predictions
from mmsign.visualization.html_report.page import report_page
from mmsign.visualization.html_report.run import in_order_of, load_run, rate


def test_counts(first):
    run = load_run(first)
    assert run.name == 'first' and list(run.errors) == ['video', 'average']
    assert run.total('average') == WordErrors(2, 2, 1, 8, 6, 2)
    assert run.grouped('average', run.signers) == {
        's1': WordErrors(1, 2, 0, 6, 3, 1),
        's2': WordErrors(0, 0, 1, 1, 2, 1),
        '<b>': WordErrors(1, 0, 0, 1, 1, 0),
    }
    assert run.alignments['average'][0] == [('ROT', 'ROT'), ('BLAU', 'GRAU')]
    assert load_run(first, name='mine').name == 'mine'


def test_signers_who_are_trained_on(first, tmp_path):
    records = [json.loads(line) for line in first.read_text().splitlines()]
    assert load_run(first).notice == ''
    for record in records:
        record['signer_is_trained'] = record['signer'] == 's2'
    (path, *_) = write_predictions(tmp_path / 'told', records)
    run = load_run(path)
    assert '1 of 3 signers are in the training split too (s2)' in run.notice
    assert run.notice in report_page(run)
    # Others may be trained on.
    records[-1] |= dict(signer='s2', signer_is_trained=True)
    (path, *_) = write_predictions(tmp_path / 'one', records[-1:])
    assert '1 of 1 signers' in load_run(path).notice


def test_clean_up_applies_to_both_sides(first):
    run = load_run(first, 'phoenix2014')
    assert run.references[2] == ['GELB', 'ROT']
    assert run.errors['video'][2].errors == 0


def test_a_second_run_takes_the_order_of_the_first(first, second):
    run = load_run(first)
    other = in_order_of(run, load_run(second))
    assert other.clips == run.clips and other.references == run.references
    assert [errors.errors for errors in other.errors['average']] == [0, 0, 2, 0, 1, 2]
    assert other.signers == run.signers
    assert other.alignments['average'][5][-1] == (None, 'C')


def test_runs_that_do_not_go_together(first, tmp_path):
    records = [json.loads(line) for line in first.read_text().splitlines()]
    (fewer, *_) = write_predictions(tmp_path / 'fewer', records[1:])
    with pytest.raises(ConfigError, match='clip0'):
        in_order_of(load_run(first), load_run(fewer))
    records[2]['reference'] = ['GRAU']
    (changed, *_) = write_predictions(tmp_path / 'changed', records)
    with pytest.raises(ConfigError, match='clip2'):
        in_order_of(load_run(first), load_run(changed))


def test_files_that_cannot_be_reported(tmp_path):
    record = dict(clip_id='a', reference='ein satz', hypotheses=dict(v=dict(text='x')))
    (path, *_) = write_predictions(tmp_path / 'text', [record])
    with pytest.raises(DataError, match='text.jsonl'):
        load_run(path)
    record = dict(clip_id='a', reference=[], hypotheses=dict(v=dict(glosses=[])))
    (path, *_) = write_predictions(tmp_path / 'empty', [record])
    with pytest.raises(DataError, match='empty.jsonl'):
        load_run(path)


def test_rate():
    assert rate(WordErrors(1, 0, 0, 4)) == 25
    assert rate(WordErrors()) == 0 and rate(WordErrors(insertions=1)) == float('inf')
