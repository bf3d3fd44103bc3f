import random

import pytest

from mmsign.errors import ConfigError, DataError
from mmsign.evaluation import WERMetric, count_word_errors
from mmsign.evaluation.levenshtein import levenshtein_errors


@pytest.fixture(autouse=True)
def _needs_jiwer():
    pytest.importorskip('jiwer')


def fewest(reference: list, hypothesis: list) -> int:
    """By trying everything."""
    if not reference or not hypothesis:
        return len(reference) + len(hypothesis)
    step = int(reference[0] != hypothesis[0])
    return min(
        fewest(reference[1:], hypothesis[1:]) + step,
        fewest(reference[1:], hypothesis) + 1,
        fewest(reference, hypothesis[1:]) + 1,
    )


def test_the_fewest_errors():
    rng = random.Random(0)
    words = 'REGEN', 'regen', 'WIND', 'EIN WORT', ' '
    references, hypotheses = (
        [rng.choices(words, k=rng.randrange(6)) for _ in range(60)] for _ in range(2)
    )
    found = levenshtein_errors(references, hypotheses)
    assert found.errors == sum(map(fewest, references, hypotheses))
    sclite = count_word_errors(references, hypotheses)
    assert found.errors <= sclite.errors
    assert found.reference_words == sclite.reference_words
    assert (found.sentences, found.correct_sentences) == (
        sclite.sentences,
        sclite.correct_sentences,
    )


# Five substitutions at 4 cost more than three insertions and three deletions at 3.
FIVE = ['a', 'b', 'c', 'd', 'e'], ['d', 'e', 'x', 'y', 'z']


def test_where_the_two_differ():
    reference, hypothesis = FIVE
    found = count_word_errors([reference], [hypothesis])
    assert str(found) == 'S 0, D 3, I 3, N 5'
    found = levenshtein_errors([reference], [hypothesis])
    assert str(found) == 'S 5, D 0, I 0, N 5'


def test_sentences_without_words():
    found = levenshtein_errors([[], ['a'], []], [['b'], [], []])
    assert str(found) == 'S 0, D 1, I 1, N 1' and found.sentences == 3
    assert found.correct_sentences == 1
    assert levenshtein_errors([[]], [[]]).errors == 0
    with pytest.raises(DataError):
        levenshtein_errors([['a']], [])


def test_the_metric_has_both():
    metric = WERMetric(gloss_cleanup='none', costs='levenshtein')
    reference, hypothesis = FIVE
    totals, table = metric.compare([reference], dict(average=[hypothesis]), [None])
    assert totals['average'].errors == 6
    assert totals['average_levenshtein'].errors == 5
    assert 'average_levenshtein' in table
    alone = WERMetric(gloss_cleanup='none')
    assert list(alone.compare([['a']], dict(x=[['a']]), [None])[0]) == ['x']


def test_other_costs_are_refused():
    with pytest.raises(ConfigError, match='sclite, levenshtein'):
        WERMetric(costs='unit')
