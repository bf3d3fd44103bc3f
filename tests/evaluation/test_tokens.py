import pytest

from mmsign.errors import ConfigError
from mmsign.evaluation.tokens import split_text


def test_splitting():
    assert split_text('  es  regnet\u3000.\n') == ['es', 'regnet', '.']
    assert split_text(' 你好 吗\u3000。', 'character') == ['你', '好', '吗', '。']
    assert split_text(' ', 'word') == split_text('', 'character') == []
    with pytest.raises(ConfigError, match='char'):
        split_text('a', 'char')


def test_the_forms_of_unicode_are_one_word():
    assert split_text('scho\u0308n') == split_text('sch\u00f6n') == ['schön']
