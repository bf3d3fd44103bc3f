import functools
import json
import random
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign.errors import DataError
from mmsign.evaluation import (
    WordErrors,
    align_words,
    count_word_errors,
    sentence_errors,
    word_error_table,
)
from mmsign.evaluation.wer import count_confusions, most_common

GOLDEN = json.loads(
    (Path(__file__).parent.parent / 'data' / 'sclite.json').read_text(encoding='utf-8')
)


def operations(pairs):
    """An alignment as sclite's letters."""
    return ''.join(
        'I' if r is None else 'D' if h is None else 'C' if r == h else 'S'
        for r, h in pairs
    )


def random_pairs(seed, count, alphabet, longest):
    rng = random.Random(seed)
    return [
        tuple(rng.choices(alphabet, k=rng.randint(0, longest)) for _ in range(2))
        for _ in range(count)
    ]


def test_counts_of_a_corpus_agree_with_sclite():
    corpus = GOLDEN['corpus']
    found = count_word_errors(corpus['references'], corpus['hypotheses'])
    assert corpus['counts'] == {key: getattr(found, key) for key in corpus['counts']}
    assert len(corpus['counts']) == 5
    assert found.sentences == 519
    assert found.wer == pytest.approx(100 * 1488 / 3748)


def test_alignments_agree_with_sclite_where_several_cost_the_same():
    assert len(GOLDEN['sentences']) > 250
    for reference, hypothesis, expected in GOLDEN['sentences']:
        pairs = align_words(reference, hypothesis)
        assert operations(pairs) == expected, (reference, hypothesis)


@pytest.mark.skipif(shutil.which('sctk') is None, reason='needs NIST sctk')
def test_agrees_with_the_installed_sclite(tmp_path):
    # It ignores case and leaves out the lines of sentences without any word.
    pairs = random_pairs(time.time_ns(), 500, 'abcde', 15)
    for name, side in (('ref', 0), ('hyp', 1)):
        (tmp_path / name).write_text(
            ''.join(f'{" ".join(p[side])} (s-{i})\n' for i, p in enumerate(pairs))
        )
    command = 'sctk sclite -r ref trn -h hyp trn -i spu_id -o pra stdout'
    report = subprocess.run(
        command.split(), cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    blocks = re.findall(r'id: \(s-(\d+)\)\nScores: \(#C #S #D #I\) (.*)', report)
    assert len(blocks) == 500
    for index, counts in blocks:
        letters = operations(align_words(*pairs[int(index)]))
        assert [letters.count(x) for x in 'CSDI'] == [int(n) for n in counts.split()]


def test_alignment_is_a_cheapest_one_and_spells_both_sentences():
    def least_cost(reference, hypothesis):
        @functools.cache
        def cost(i, j):
            if not i or not j:
                return 3 * (i + j)
            change = 4 * (reference[i - 1] != hypothesis[j - 1])
            return min(
                cost(i - 1, j - 1) + change, cost(i - 1, j) + 3, cost(i, j - 1) + 3
            )

        return cost(len(reference), len(hypothesis))

    for reference, hypothesis in random_pairs(1, 300, 'ABCD', 9):
        pairs = align_words(reference, hypothesis)
        letters = operations(pairs)
        assert [r for r, _ in pairs if r is not None] == reference
        assert [h for _, h in pairs if h is not None] == hypothesis
        cost = {'C': 0, 'S': 4, 'D': 3, 'I': 3}
        assert sum(cost[x] for x in letters) == least_cost(reference, hypothesis)


SENTENCE = st.lists(st.sampled_from('ABC'), max_size=8)
CORPUS = st.lists(st.tuples(SENTENCE, SENTENCE), min_size=1, max_size=5)


@examples(150)
@given(CORPUS)
def test_counts_of_any_corpus(corpus):
    references, hypotheses = zip(*corpus)
    total = count_word_errors(references, hypotheses)
    assert total == sum(map(sentence_errors, references, hypotheses), WordErrors())
    assert total.reference_words == sum(map(len, references))
    # Every word of a hypothesis matches, replaces a word or is inserted.
    assert sum(map(len, hypotheses)) == (
        total.reference_words - total.deletions + total.insertions
    )
    least = sum(abs(len(r) - len(h)) for r, h in corpus)
    assert least <= total.errors <= sum(len(r) + len(h) for r, h in corpus)
    assert total.correct_sentences == sum(r == h for r, h in corpus)
    assert count_word_errors(references, references).errors == 0


@examples(100)
@given(SENTENCE, SENTENCE)
def test_the_costs_of_the_two_directions_are_equal(reference, hypothesis):
    def cost(errors):
        return 4 * errors.substitutions + 3 * (errors.insertions + errors.deletions)

    there = sentence_errors(reference, hypothesis)
    assert cost(there) == cost(sentence_errors(hypothesis, reference))
    # Equal words before both change nothing.
    assert cost(sentence_errors(['X', *reference], ['X', *hypothesis])) == cost(there)


def test_costs_are_not_unit_costs():
    # Unit costs would call it two substitutions.
    assert align_words('AB', 'BC') == [('A', None), ('B', 'B'), (None, 'C')]


def test_empty_sides():
    assert sentence_errors([], ['A', 'B']) == WordErrors(0, 0, 2, 0, 1, 0)
    assert sentence_errors(['A', 'B'], []) == WordErrors(0, 2, 0, 2, 1, 0)
    assert sentence_errors([], []) == WordErrors(0, 0, 0, 0, 1, 1)
    assert count_word_errors([['A'], []], [[], ['B']]).wer == 200


def test_rates():
    found = count_word_errors(
        [['A', 'B'], ['C'], ['D'], ['a']], [['A', 'B'], ['C', 'C'], ['E'], ['A']]
    )
    assert found == WordErrors(2, 0, 1, 5, 4, 1)
    assert found.errors == 3
    assert found.wer == 60
    assert found.sentence_accuracy == 25
    assert WordErrors(1, 2, 3, 4, 5, 6) + WordErrors(10, 20, 30, 40, 50, 60) == (
        WordErrors(11, 22, 33, 44, 55, 66)
    )


def test_undefined_rates_and_sentences_without_partner():
    for undefined in (
        lambda: count_word_errors([[]], [['A']]).wer,
        lambda: WordErrors().sentence_accuracy,
        lambda: word_error_table({'video': WordErrors(sentences=1)}),
        lambda: count_word_errors([['A'], ['B']], [['A']]),
        lambda: count_word_errors([], []),
    ):
        with pytest.raises(DataError):
            undefined()


def test_table():
    table = word_error_table(
        {
            'video': WordErrors(10, 20, 3, 100, 40, 7),
            'keypoint': WordErrors(0, 0, 0, 100, 40, 40),
        }
    )
    assert table.splitlines() == [
        'output       WER      S      D      I       N  sentences correct',
        'video      33.00     10     20      3     100   17.50 % of 40',
        'keypoint    0.00      0      0      0     100  100.00 % of 40',
    ]


def test_speed():
    pairs = random_pairs(2, 4 * 640, [f'W{i}' for i in range(50)], 18)
    start = time.process_time()
    count_word_errors(*zip(*pairs))
    assert time.process_time() - start < 1


def test_confusions():
    sentences = [('ABC', 'AXC'), ('ABC', 'AXCY'), ('AB', 'A'), ('B', 'B')]
    found = count_confusions(align_words(r, h) for r, h in sentences)
    assert found == dict(
        substituted={('B', 'X'): 2}, deleted={('B', None): 1}, inserted={(None, 'Y'): 1}
    )


def test_most_common_confusions_are_the_same_every_time():
    counts = dict(b=2, a=2, c=9, d=1)
    assert most_common(counts, 3) == [('c', 9), ('a', 2), ('b', 2)]
