import pytest

from mmsign.text.languages import LANGUAGE_CODES, finish_sentence


def test_the_order_is_that_of_mbart_large_cc25():
    assert len(LANGUAGE_CODES) == len(set(LANGUAGE_CODES)) == 25
    # mBART-large-cc25 has 250,000 pieces: de_DE is id 250003, zh_CN 250025.
    assert LANGUAGE_CODES.index('de_DE') == 250003 - 250001
    assert LANGUAGE_CODES.index('en_XX') == 250004 - 250001
    assert LANGUAGE_CODES.index('zh_CN') == 250025 - 250001


@pytest.mark.parametrize('language', ['de_DE', 'de'])
@pytest.mark.parametrize(
    'text, expected',
    [
        ('es regnet.', 'es regnet .'),
        ('es regnet. ', 'es regnet .'),
        ('es regnet .', 'es regnet .'),
        ('am 3. mai', 'am 3. mai'),
        ('.', '.'),
        ('', ''),
    ],
)
def test_the_german_full_stop_stands_alone(text, expected, language):
    assert finish_sentence(text, language) == expected
    assert finish_sentence(expected, language) == expected
    assert finish_sentence(text, 'zh_CN') == finish_sentence(text, '') == text
