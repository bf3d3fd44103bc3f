import io

import pytest

from mmsign.evaluation import align_words
from mmsign.evaluation.wer import count_confusions
from mmsign.visualization.alignment import (
    display_width,
    operation,
    render_alignment,
    render_confusions,
    wants_colour,
)


def test_columns_and_letters():
    pairs = align_words(
        ['ROT', 'GELB', 'BLAU'], ['ROT', 'GRAU', 'GRAU', 'BLAU', 'WEISS']
    )
    assert [operation(pair) for pair in pairs] == ['C', 'I', 'S', 'C', 'I']
    assert render_alignment(pairs).splitlines() == [
        'REF  ROT ***  GELB BLAU ***',
        'HYP  ROT GRAU GRAU BLAU WEISS',
        '         I    S         I',
    ]


def test_nothing_wrong_needs_no_letters():
    assert render_alignment([('ROT', 'ROT')]) == 'REF  ROT\nHYP  ROT'
    assert render_alignment([]) == 'REF\nHYP'


def test_wide_characters():
    assert [display_width(text) for text in ('ab', '你好', 'é', 'e\u0301', '')] == [
        2, 4, 1, 1, 0
    ]  # fmt: skip
    lines = render_alignment([('你好', 'a'), ('X', 'Y')]).splitlines()
    assert lines == ['REF  你好 X', 'HYP  a    Y', '     S    S']


def test_long_sentences_wrap():
    pairs = [(f'W{i}', f'W{i}') for i in range(6)] + [('LONGER-THAN-ALL', None)]
    text = render_alignment(pairs, width=14)
    assert text.splitlines() == [
        'REF  W0 W1 W2', 'HYP  W0 W1 W2',
        'REF  W3 W4 W5', 'HYP  W3 W4 W5',
        'REF  LONGER-THAN-ALL', 'HYP  ***', '     D',
    ]  # fmt: skip


def test_colour_is_added_to_what_is_wrong_only():
    pairs = [('A', 'A'), ('B', 'C'), ('D', None), (None, 'E')]
    reference, hypothesis, letters = render_alignment(pairs, colour=True).split('\n')
    assert reference.startswith('REF  A \033[33mB\033[0m ')
    assert '\033[31mD\033[0m' in reference and '\033[36mE\033[0m' in hypothesis
    assert letters.count('\033[0m') == 3


def test_control_characters_do_not_reach_the_terminal():
    text = render_alignment([('\033[2J', 'B')])
    assert '\033' not in text and '\ufffd[2J' in text
    confusions = count_confusions([[('\033c', 'B')]])
    assert '\033' not in render_confusions(confusions)


def test_confusions():
    pairs = [('A', 'B')] * 2 + [('C', None), (None, 'D'), ('E', 'F')]
    assert render_confusions(count_confusions([pairs]), limit=1).splitlines() == [
        'substituted: 3', '     2  A -> B',
        'deleted: 1', '     1  C',
        'inserted: 1', '     1  D',
    ]  # fmt: skip


@pytest.mark.parametrize(
    'terminal, variable, expected',
    [(True, None, True), (True, '', True), (True, '1', False), (False, None, False)],
)
def test_when_colour_is_wanted(monkeypatch, terminal, variable, expected):
    monkeypatch.delenv('NO_COLOR', raising=False)
    if variable is not None:
        monkeypatch.setenv('NO_COLOR', variable)
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    assert wants_colour(stream) is expected
