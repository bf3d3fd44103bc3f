import pytest

from mmsign.evaluation.levels import check_level, split_text


def test_splitting():
    assert split_text('  es  regnet\u3000.\n', 'word') == ['es', 'regnet', '.']
    assert split_text(' 你好 吗\u3000。', 'character') == ['你', '好', '吗', '。']
    assert split_text(' ', 'word') == split_text('', 'character') == []


def test_unknown_level():
    assert check_level('word') == 'word'
    with pytest.raises(ValueError, match="level is 'char', expected one of word, ch"):
        split_text('a', 'char')
