from pathlib import Path

import pytest

from mmsign.errors import ConfigError
from mmsign.evaluation import GLOSS_CLEANUPS, clean_glosses
from mmsign.evaluation.cleanup import apply_protocol, clean_word_by_word

# Sentences and both clean-ups of them as the paper's authors' code gives them;
# words that no rule looks at are replaced by made-up ones.
LINES = (
    (Path(__file__).parent.parent / 'data' / 'gloss_cleanup.tsv')
    .read_text(encoding='utf-8')
    .splitlines()
)
CORPORA = ('phoenix2014', 'phoenix2014T')


@pytest.mark.parametrize('corpus', CORPORA)
def test_agrees_with_the_authors(corpus):
    header, *rows = (line.split('\t') for line in LINES)
    assert len(rows) == 400
    for row in rows:
        sentences = dict(zip(header, row))
        found = clean_glosses(sentences['raw'].split(), corpus)
        assert ' '.join(found) == sentences[corpus], sentences['raw']


@pytest.mark.parametrize(
    'raw, phoenix2014, phoenix2014t',
    [
        ('', '', ''),
        ('BAUM', 'BAUM', 'BAUM'),
        # Marks.
        ('loc-A cl-BAUM', 'A BAUM', 'A BAUM'),
        ('qu-WO neg-JA', 'WO neg-JA', 'qu-WO neg-JA'),
        ('poss-IHR lh-DA', 'IHR DA', 'poss-IHR lh-DA'),
        ('__ON__ ROT __OFF__', '__ON__ ROT __OFF__', 'ROT'),
        ('__PU__ __EMOTION__ __LEFTHAND__ __EPENTHESIS__', '', ''),
        ('ROT-PLUSPLUS loc-ORT-PLUSPLUS', 'ROT ORT', 'ROT ORT'),
        # Variants.
        ('S0NNE HABEN2', 'SONNE HABEN', 'S0NNE HABEN2'),
        ('WIE AUSSEHEN WIE', 'WIE-AUSSEHEN WIE', 'WIE-AUSSEHEN WIE'),
        ('WIE __ON__ AUSSEHEN', 'WIE __ON__ AUSSEHEN', 'WIE AUSSEHEN'),
        ('ZEIGEN ROT', 'ZEIGEN-BILDSCHIRM ROT', 'ZEIGEN ROT'),
        ('ROT ZEIGEN', 'ROT ZEIGEN-BILDSCHIRM', 'ROT ZEIGEN'),
        ('ZEIGEN-BILDSCHIRM', 'ZEIGEN-BILDSCHIRM', 'ZEIGEN-BILDSCHIRM'),
        ('OSTRAUM RAUM', 'OST RAUM', 'OST RAUM'),
        # Fingerspelling, with its oddities at both ends of a sentence.
        ('ROT A B BLAU', 'ROT A+B BLAU', 'ROT A+B BLAU'),
        ('ROT A B C D E BLAU', 'ROT A+B+C+D+E BLAU', 'ROT A+B+C+D+E BLAU'),
        ('A B ROT', 'A+B ROT', 'A+B ROT'),
        ('A B C ROT', 'A B+C ROT', 'A B+C ROT'),
        ('A B', 'A B', 'A B'),
        ('ROT A B', 'ROT A+B', 'ROT A+B'),
        ('ROT SCH A BLAU', 'ROT SCH+A BLAU', 'ROT SCH+A BLAU'),
        ('ROT A NN E BLAU', 'ROT A+NN+E BLAU', 'ROT A+NN+E BLAU'),
        ('ROT A __EMOTION__ B BLAU', 'ROT A B BLAU', 'ROT A B BLAU'),
        # Repetitions, also those a clean-up brings about.
        ('ROT ROT ROT BLAU ROT', 'ROT BLAU ROT', 'ROT BLAU ROT'),
        ('ROT __LEFTHAND__ ROT', 'ROT', 'ROT'),
        ('IN-TAL IN-TAL', 'IN-TAL', 'IN-TAL'),
        ('ROT AB AB+C', 'ROT AB+C', 'ROT AB+C'),
        ('OST OSTRAUM loc-OST', 'OST', 'OST'),
    ],
)  # fmt: skip
def test_rules(raw, phoenix2014, phoenix2014t):
    assert ' '.join(clean_glosses(raw.split(), 'phoenix2014')) == phoenix2014
    assert ' '.join(clean_glosses(raw.split(), 'phoenix2014T')) == phoenix2014t
    assert clean_glosses(raw.split(), 'none') == raw.split()


def test_none_gives_a_list_of_its_own():
    glosses = ('ROT', 'ROT')
    assert clean_glosses(glosses, 'none') == ['ROT', 'ROT']


def test_unknown_name():
    assert set(GLOSS_CLEANUPS) == {*CORPORA, 'none'}
    with pytest.raises(ConfigError, match="'phoenix'"):
        clean_glosses(['ROT'], 'phoenix')


@pytest.mark.parametrize(
    'hypothesis, expected',
    [
        ('loc-NORD qu-WO poss-MEIN lh-DA cl-GEHEN', 'NORD WO MEIN DA GEHEN'),
        ('S0NNE HABEN2 OSTRAUM REGEN-PLUSPLUS', 'SONNE HABEN OST REGEN'),
        ('ZEIGEN VORZEIGEN ZEIGEN2', 'ZEIGEN-BILDSCHIRM VORZEIGEN-BILDSCHIRM ZEIGEN2'),
        ('__ON__ __EMOTION__ __PU__ __LEFTHAND__ ROT', '__ON__ ROT'),
        ('loc-__EPENTHESIS__ ROT', 'ROT'),
        # What would need two words does not happen.
        ('ROT A B BLAU', 'ROT A B BLAU'),
        ('WIE AUSSEHEN ROT ROT', 'WIE AUSSEHEN ROT ROT'),
        # Nothing left.
        ('', '[EMPTY]'),
        ('__PU__ __EPENTHESIS__', '[EMPTY]'),
    ],
)
def test_word_by_word(hypothesis, expected):
    assert ' '.join(clean_word_by_word(hypothesis.split())) == expected


def test_protocols_differ():
    references = [['ROT', 'ROT', 'A', 'B'], ['loc-NORD']]
    hypotheses = [['rot', 'A', 'B'], []]
    assert apply_protocol(references, hypotheses, 'official', 'phoenix2014') == (
        [['rot', 'rot', 'a', 'b'], ['loc-nord']],
        [['rot', 'a', 'b'], ['[empty]']],
    )
    assert apply_protocol(references, hypotheses, 'paper', 'phoenix2014') == (
        [['ROT', 'A+B'], ['NORD']],
        [['rot', 'A+B'], []],
    )


def test_letters_outside_of_ascii_keep_their_case():
    folded, _ = apply_protocol([['GRÜN']], [[]], 'official', 'phoenix2014')
    assert folded == [['grÜn']]


@pytest.mark.parametrize(
    'protocol, cleanup', [('official', 'phoenix2014T'), ('offical', 'phoenix2014')]
)
def test_unknown_protocol(protocol, cleanup):
    with pytest.raises(ConfigError, match=protocol):
        apply_protocol([[]], [[]], protocol, cleanup)
