import pytest

from mmsign.evaluation import WordErrors, word_error_table


def test_table():
    table = word_error_table(
        {
            'video': WordErrors(10, 20, 3, 100, 40, 7),
            'keypoint': WordErrors(0, 0, 0, 100, 40, 40),
        }
    )
    assert table.splitlines() == [
        'output       WER      S      D      I       N  sentences correct',
        'video      33.00     10     20      3     100   17.50 % of 40',
        'keypoint    0.00      0      0      0     100  100.00 % of 40',
    ]


def test_undefined_rate():
    with pytest.raises(ValueError, match='hold no word'):
        word_error_table({'video': WordErrors(sentences=1)})
