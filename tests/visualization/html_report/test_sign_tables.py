import pytest

from mmsign.errors import DataError
from mmsign.evaluation import SignClip, SignScores, write_predictions
from mmsign.visualization.html_report.run import load_run
from mmsign.visualization.html_report.sign_tables import (
    IDLE,
    sign_confusions,
    sign_summary,
    signs_by,
)


@pytest.fixture
def run(signs):
    return load_run(signs)


def test_summary(run):
    (row,) = sign_summary(run).rows
    accuracies = pytest.approx(200 / 3), 100.0, 75.0
    rejected, idle, accepted = pytest.approx(100 / 3), 1, 100.0
    assert row[:8] == ('average', 3, *accuracies, rejected, idle, accepted)
    assert len(sign_summary(run).header) == len(row)


def test_groups(run):
    signers = signs_by(run, 'average', 'signer', 'signer').rows
    assert [row[:3] for row in signers] == [('s1', 2, 50.0), ('s2', 1, 100.0)]
    signs = signs_by(run, 'average', 'sign', 'reference').rows
    assert [row[0] for row in signs] == ['BLAU', 'ROT']
    assert signs[1][-1] == '<b>BLAU 1' and signs[0][-1] == '–'


def test_confusions(run):
    table = sign_confusions(run.signs['average'])
    assert table.header == ('', '<b>BLAU', 'ROT')
    # Only what is confused, and what was believed of the idle clip.
    assert table.rows == [('<b>BLAU', '', ''), ('ROT', 1, 1), (IDLE, '', 1)]


def test_of_very_many_signs_those_that_are_confused_most():
    clips = [SignClip(f'{i:02}', (f'{(i + 1) % 50:02}',)) for i in range(50)]
    clips += [SignClip('07', ('09',))] * 9
    table = sign_confusions(SignScores(tuple(clips)))
    assert len(table.rows) == 30 and {'07', '09'} <= set(table.header)


def test_undefined_rates_are_no_bars(tmp_path):
    sign = dict(n_best=[], no_sign=1.0, none_of_these=True)
    found = dict(glosses=[], single_sign=sign)
    idle = dict(clip_id='a', reference=[], hypotheses=dict(average=found))
    other = dict(clip_id='b', reference=['A', 'B'])
    records = [idle, other | dict(hypotheses=dict(average=dict(glosses=[])))]
    (path, *_) = write_predictions(tmp_path / 'idle', records)
    (row,) = sign_summary(load_run(path)).rows
    assert row == ('average', 0, '–', '–', '–', '–', 1, 0.0, '–')
    found['single_sign'] = dict(n_best=3)
    (path, *_) = write_predictions(tmp_path / 'broken', records)
    with pytest.raises(DataError, match=r"broken\.jsonl.*'a'"):
        load_run(path)
