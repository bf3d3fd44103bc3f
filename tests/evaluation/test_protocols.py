import pytest

from mmsign.errors import ConfigError
from mmsign.evaluation.protocols import apply_protocol, clean_word_by_word


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
def test_unknown(protocol, cleanup):
    with pytest.raises(ConfigError, match=protocol):
        apply_protocol([[]], [[]], protocol, cleanup)
