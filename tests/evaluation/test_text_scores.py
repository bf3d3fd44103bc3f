import json
import math
import random
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

pytest.importorskip('sacrebleu')

from mmsign.errors import ConfigError, DataError, MissingPackageError
from mmsign.evaluation import (
    TextScores,
    corpus_bleu,
    corpus_chrf,
    corpus_rouge_l,
    rouge_l,
    score_texts,
    text_score_table,
)
from mmsign.evaluation.text_scores import longest_common_subsequence

GOLDEN = json.loads(
    (Path(__file__).parent.parent / 'data' / 'text_scores.json').read_text('utf-8')
)
SPELLING = {
    'word': lambda numbers: ' '.join(f'w{n}' for n in numbers),
    'character': lambda numbers: ''.join(chr(0x4E00 + n) for n in numbers),
}


@pytest.mark.parametrize('level, sentences', [('word', 519), ('character', 200)])
def test_agrees_with_the_authors(level, sentences):
    golden = GOLDEN[level]
    references, hypotheses = (
        list(map(SPELLING[level], golden[side]))
        for side in ('references', 'hypotheses')
    )
    found = asdict(score_texts(references, hypotheses, level))
    assert len(references) == sentences and len(golden['scores']) == 6
    for name, expected in golden['scores'].items():
        assert found[name] == pytest.approx(expected, abs=1e-3), name


def test_white_space_of_characters_does_not_count():
    spaced = score_texts(['今天 下雨 。'], ['明天下雨。'], 'character')
    assert spaced == score_texts(['今天下雨。'], ['明天 下雨。'], 'character')
    assert spaced.rouge_l == pytest.approx(80)


def test_both_rouges_and_chrf_are_there():
    found = score_texts(['a b c d'], ['a x b y c z'])
    assert found.rouge_l == pytest.approx(100 * (13 / 9) * 0.375 / (0.75 + 2 / 9))
    assert found.rouge_l_beta1_2 == pytest.approx(100 * 2.44 * 0.375 / 1.47)
    assert 0 < found.chrf < 100


def test_bleu_by_hand():
    # 5 of 6 words, 3 of 5 pairs, 1 of 4 triples; 6 words said, 7 expected.
    reference, hypothesis = 'a b c d e f g', 'a b c x e f'
    brevity = math.exp(1 - 7 / 6)
    found = corpus_bleu([reference], [hypothesis]).scores
    assert found[0] == pytest.approx(100 * brevity * 5 / 6)
    assert found[1] == pytest.approx(100 * brevity * math.sqrt(5 / 6 * 3 / 5))
    assert found[2] == pytest.approx(100 * brevity * (5 / 6 * 3 / 5 / 4) ** (1 / 3))


def test_words_are_taken_as_they_are():
    # No further tokenisation: the glued full stop makes another word; nor is case
    # folded.
    assert corpus_bleu(['es regnet .'], ['es regnet.']).scores[0] < 50
    assert corpus_bleu(['es regnet'], ['Es regnet']).scores[0] == pytest.approx(50)


def test_characters_and_signature():
    import sacrebleu

    scores, signature = corpus_bleu(['今天 下雨。'], ['今天下 雨 。'], 'character')
    assert scores == pytest.approx([100] * 4)
    for part in ('tok:char', 'smooth:exp', f'version:{sacrebleu.__version__}'):
        assert part in signature
    assert 'tok:none' in corpus_bleu(['a'], ['a']).signature


def test_empty_hypothesis_counts():
    with_empty = corpus_bleu(['a b c d', 'a b c d'], ['a b c d', '']).scores
    assert with_empty == pytest.approx([100 * math.exp(-1)] * 4)


def test_chrf():
    assert corpus_chrf(['ab cd'], ['abcd']) == pytest.approx(100)
    # One character in two: precision 1/2 and recall 1/2, no longer n-gram in common.
    assert corpus_chrf(['ab'], ['ax']) == pytest.approx(25)


def test_no_warning_about_tokenised_texts(capfd, caplog):
    corpus_bleu(['es regnet .'] * 200, ['es regnet .'] * 200)
    assert capfd.readouterr().err == '' and not caplog.records


@pytest.mark.parametrize(
    'score', [corpus_bleu, corpus_chrf, corpus_rouge_l, score_texts]
)
def test_sentences_without_words_or_partner(score):
    for references, hypotheses in ((['a', 'b'], ['a']), ([], [])):
        with pytest.raises(DataError):
            score(references, hypotheses)
    with pytest.raises(DataError):
        score_texts(['', ' '], ['a', 'b'])


def test_what_is_missing_is_named(monkeypatch):
    with pytest.raises(ConfigError, match='letter'):
        corpus_bleu(['a'], ['a'], 'letter')
    monkeypatch.setitem(sys.modules, 'sacrebleu.metrics', None)
    with pytest.raises(MissingPackageError, match='sacrebleu'):
        corpus_bleu(['a'], ['a'])


def test_table():
    table = text_score_table(
        {
            'keypoint': TextScores(50, 40.125, 30, 20, 60, 61, 70, 'tok:none'),
            'joint': TextScores(100, 0, 0, 0, 0, 0, 0, 'tok:none'),
        }
    )
    header, first, second, signature = table.splitlines()
    assert header.split()[:6] == [
        'output', 'BLEU-1', 'BLEU-2', 'BLEU-3', 'BLEU-4', 'ROUGE-L'
    ]  # fmt: skip
    assert first.split() == [
        'keypoint', '50.00', '40.12', '30.00', '20.00', '60.00', '61.00', '70.00'
    ]  # fmt: skip
    assert second.split()[:2] == ['joint', '100.00']
    assert signature == 'BLEU: tok:none'


def plain_length(first, second):
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            longer = max(table[i][j + 1], table[i + 1][j])
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else longer
    return table[-1][-1]


def test_longest_common_subsequence():
    rng = random.Random(0)
    for longest in (4, 12, 90):
        for _ in range(100):
            first, second = (
                rng.choices('abcd', k=rng.randint(0, longest)) for _ in range(2)
            )
            expected = plain_length(first, second)
            assert longest_common_subsequence(first, second) == expected


def test_rouge_by_hand():
    # Three words in common: R = 3/4, P = 3/6, so beta = 2/3.
    reference, hypothesis = 'abcd', 'axbycz'
    squared = (2 / 3) ** 2
    expected = (1 + squared) * 0.375 / (0.75 + squared * 0.5)
    assert rouge_l(reference, hypothesis) == pytest.approx(expected)
    expected = (1 + 1.44) * 0.375 / (0.75 + 1.44 * 0.5)
    assert rouge_l(reference, hypothesis, 1.2) == pytest.approx(expected)


def test_ends_of_the_scale_of_rouge():
    for beta in (None, 1.2):
        assert rouge_l('abc', 'abc', beta) == 1
        assert rouge_l('abc', 'xyz', beta) == 0
        assert rouge_l('abc', '', beta) == rouge_l('', 'abc', beta) == 0
        assert rouge_l('', '', beta) == 1


def test_rouge_is_the_mean_over_sentences():
    assert corpus_rouge_l(['abc', 'ab', 'a'], ['abc', 'xy', 'a']) == pytest.approx(
        200 / 3
    )
