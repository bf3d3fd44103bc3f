from collections import Counter
from dataclasses import replace

import pytest

from mmsign.evaluation.wer import alignment_errors
from mmsign.visualization.html_report import load_run
from mmsign.visualization.html_report.error_tables import (
    bin_of,
    breakdown,
    by_frequency,
    by_length,
    comparison,
    confusions,
    summary,
)
from mmsign.visualization.html_report.run import in_order_of


@pytest.fixture
def run(first):
    return load_run(first)


def test_summary(run):
    table = summary(run)
    video, average = table.rows
    assert len(table.header) == len(video) and table.header[1] == 'WER %'
    assert video[:2] == ('video', 37.5) and video[3:] == (1, 2, 0, 8, '50.0')
    assert average[:2] == ('average', 62.5)
    low, high = map(float, average[2].split(' to '))
    assert 0 <= low < 62.5 < high


def test_unit_costs_stand_beside_sclites(run):
    pytest.importorskip('jiwer')
    # sclite's costs align B with B, for 2 deletions and 2 insertions.
    pairs = [('A', None), ('C', None), ('B', 'B'), (None, 'A'), (None, 'D')]
    shorter = replace(run, references=[['A', 'C', 'B']], alignments=dict(x=[pairs]))
    shorter = replace(shorter, errors=dict(x=[alignment_errors(pairs)]))
    table = summary(shorter, 'levenshtein')
    (row,) = table.rows
    assert len(row) == len(table.header)
    assert row[1] == pytest.approx(400 / 3) and row[-1] == pytest.approx(100)
    assert len(summary(shorter).rows[0]) == len(row) - 1


def test_comparison(run, second):
    (row,) = comparison(run, in_order_of(run, load_run(second))).rows
    # 1 and 1 errors fewer, 2 more: no way to swap the three gives less than 0.
    assert row[:4] == ('average', 62.5, 62.5, '+0.00')
    assert row[5:] == ('1.0000', 'no')


def test_confusions(run):
    substituted, deleted, inserted = confusions(run, 'average')
    assert substituted.caption == 'Substituted: 2'
    assert (('BLAU → GRAU', 'BLAU → GRAU'), 1) in substituted.rows
    assert (('GELB', 'GELB → –'), 1) in deleted.rows
    assert inserted.rows == [(('NEU', '– → NEU'), 1)]


def test_groups(run):
    assert breakdown(run, 'signer', run.signers).rows == [
        ('<b>', 1, 1, 100.0, 100.0),
        ('s1', 3, 6, pytest.approx(100 / 3), 50.0),
        ('s2', 2, 1, 0.0, 100.0),
    ]
    assert by_length(run).rows[0] == ('0–3', 6, 8, 37.5, 62.5)


def test_missed_glosses_by_frequency(run):
    assert by_frequency(run, Counter(ROT=600, GELB=3)).rows == [
        ('0', 3, pytest.approx(200 / 3), pytest.approx(200 / 3)),  # A is not missed
        ('1–4', 2, 50.0, 50.0),  # one GELB of two
        ('500 or more', 3, 0.0, pytest.approx(100 / 3)),
    ]
    header, rows = by_frequency(run).header, by_frequency(run).rows
    assert header[0] == 'times in these references' and rows[0][:2] == ('1–4', 8)


def test_bins():
    names = [bin_of(number, (0, 4, 9))[1] for number in (0, 1, 4, 5, 9, 10, 99)]
    assert names == ['0', '1–4', '1–4', '5–9', '5–9', '10 or more', '10 or more']
    assert bin_of(5, (0, 4, 9))[0] == 2
