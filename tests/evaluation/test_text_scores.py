import json
from pathlib import Path

import pytest

pytest.importorskip('sacrebleu')

from mmsign.errors import DataError
from mmsign.evaluation import TextScores, score_texts, text_score_table

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
    found = score_texts(references, hypotheses, level).to_dict()
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


def test_sentences_without_words_or_partner():
    for references, hypotheses in ((['', ' '], ['a', 'b']), (['a'], [])):
        with pytest.raises(DataError):
            score_texts(references, hypotheses)


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
