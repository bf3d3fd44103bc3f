from __future__ import annotations

import pytest

from mmsign.text.languages import LANGUAGE_CODES, check_language, finish_sentence


def test_the_order_is_that_of_mbart_large_cc25():
    assert len(LANGUAGE_CODES) == len(set(LANGUAGE_CODES)) == 25
    # mBART-large-cc25 has 250,000 pieces: de_DE is id 250003, zh_CN 250025.
    assert LANGUAGE_CODES.index('de_DE') == 250003 - 250001
    assert LANGUAGE_CODES.index('en_XX') == 250004 - 250001
    assert LANGUAGE_CODES.index('zh_CN') == 250025 - 250001


def test_an_unknown_language_is_named():
    assert check_language('de_DE') == 'de_DE'
    with pytest.raises(ValueError, match="unknown language code 'de'.*de_DE"):
        check_language('de')


@pytest.mark.parametrize(
    ('text', 'code', 'expected'),
    [
        ('regen.', 'de_DE', 'regen .'),
        ('regen .', 'de_DE', 'regen .'),
        ('.', 'de_DE', '.'),
        ('', 'de_DE', ''),
        ('下雨.', 'zh_CN', '下雨.'),
    ],
)
def test_the_german_period_stands_alone(text, code, expected):
    assert finish_sentence(text, code) == expected
