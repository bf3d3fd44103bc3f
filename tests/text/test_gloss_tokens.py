from __future__ import annotations

import pytest

from mmsign.errors import DataError
from mmsign.text import GlossTokens
from mmsign.vocab import GlossVocabulary


def test_rows():
    tokens = GlossTokens(GlossVocabulary(['RAIN', 'SUN']))
    assert len(tokens) == 7
    assert tokens.symbols == (
        *('<s>', '<pad>', '</s>', '<unk>'),
        *('RAIN', 'SUN', '<gloss>'),
    )
    assert tokens.encode(['SUN', 'RAIN']) == [5, 4, 2, 6]
    assert tokens.encode([]) == [2, 6]


def test_an_unknown_gloss_is_told():
    tokens = GlossTokens(GlossVocabulary(['RAIN']))
    assert tokens.encode(['SNOW', 'RAIN']) == [tokens.unk_id, 4, 2, 5]
    assert tokens.unknown(['SNOW', 'RAIN']) == ['SNOW']


def test_a_gloss_may_not_be_called_as_a_special_row():
    with pytest.raises(DataError, match='<unk>'):
        GlossTokens(GlossVocabulary(['RAIN', '<unk>']))


def test_an_alias_has_the_row_of_its_gloss():
    tokens = GlossTokens(GlossVocabulary(['RAIN', 'SUN'], aliases=dict(SHINE='SUN')))
    assert len(tokens) == 7
    assert tokens.encode(['SHINE']) == tokens.encode(['SUN'])
    assert tokens.unknown(['SHINE']) == []
