import math
import sys

import pytest

pytest.importorskip('sacrebleu')

from mmsign.errors import ConfigError, DataError, MissingPackageError
from mmsign.evaluation import corpus_bleu, corpus_chrf


def test_counts_by_hand():
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


@pytest.mark.parametrize('score', [corpus_bleu, corpus_chrf])
def test_sentences_without_partner(score):
    for references, hypotheses in ((['a', 'b'], ['a']), ([], [])):
        with pytest.raises(DataError):
            score(references, hypotheses)


def test_what_is_missing_is_named(monkeypatch):
    with pytest.raises(ConfigError, match='letter'):
        corpus_bleu(['a'], ['a'], 'letter')
    monkeypatch.setitem(sys.modules, 'sacrebleu.metrics', None)
    with pytest.raises(MissingPackageError, match='sacrebleu'):
        corpus_bleu(['a'], ['a'])
