import re
from collections import Counter

from mmsign.visualization.html_report import load_run
from mmsign.visualization.html_report.run import in_order_of
from mmsign.visualization.html_report.sections import (
    breakdown,
    by_frequency,
    by_length,
    comparison,
    confusions,
    sentences,
    summary,
    worst,
)


def cells(html):
    """The cells of each row of a table, without markup."""
    rows = re.findall('<tr>(.*?)</tr>', html)
    plain = [re.sub('</t[hd]>', '\t', row) for row in rows]
    return [re.sub('<[^>]*>', '', row).split('\t')[:-1] for row in plain]


def test_summary(first):
    header, video, average = cells(summary(load_run(first)))
    assert header[:3] == ['output', 'WER %', '95 % interval']
    assert video[:2] == ['video', '37.5'] and video[3:] == ['1', '2', '0', '8', '50.0']
    assert average[:2] == ['average', '62.5']
    low, high = map(float, average[2].split(' to '))
    assert 0 <= low < 62.5 < high


def test_comparison(first, second):
    run = load_run(first)
    html = comparison(run, in_order_of(run, load_run(second)))
    _, row = cells(html)
    # 1 and 1 errors fewer, 2 more: no way to swap the three gives less than 0.
    assert row[:4] == ['average', '62.5', '62.5', '+0.00']
    assert row[5:] == ['1.0000', 'no']


def test_worst_come_first_and_right_ones_not_at_all(first):
    run = load_run(first)
    found = re.findall('href="#(s\\d)"', worst(run, 'average'))
    assert found == ['s3', 's4', 's2', 's0']
    assert 'WER undefined, 1 error<' in worst(run, 'average')
    assert re.findall('href="#(s\\d)"', worst(run, 'average', 1)) == ['s3']


def test_confusions(first):
    html = confusions(load_run(first), 'average')
    assert 'data-find="BLAU → GRAU"' in html
    assert 'data-find="GELB → –"' in html and 'data-find="– → NEU"' in html
    assert ['BLAU → GRAU', '1'] in cells(html)


def test_groups(first):
    run = load_run(first)
    html = breakdown(run, 'signer', run.signers)
    assert cells(html)[1:] == [
        ['&lt;b&gt;', '1', '1', '100.0', '100.0'],
        ['s1', '3', '6', '33.3', '50.0'],
        ['s2', '2', '1', '0.0', '100.0'],
    ]
    assert cells(by_length(run))[1] == ['0–3', '6', '8', '37.5', '62.5']
    assert cells(by_frequency(run, Counter(ROT=600), 'in training'))[1:] == [
        ['0', '5', '60.0', '60.0'],
        ['500 or more', '3', '0.0', '33.3'],
    ]


def test_sentences(first, second):
    run = load_run(first)
    alone = sentences(run, 'average')
    order = re.findall('<article id="(s\\d)"', alone)
    assert order == ['s3', 's4', 's2', 's0', 's1', 's5']
    assert 'data-change="0"' in alone
    assert 'Other outputs: video' in alone and 'second' not in alone
    both = sentences(run, 'average', in_order_of(run, load_run(second)))
    assert re.search('id="s5"[^>]* data-change="2"', both)
    assert re.search('id="s0"[^>]* data-change="-1"', both)
    assert 'first, WER 0.0 %' in both and 'second, WER 200.0 %' in both
