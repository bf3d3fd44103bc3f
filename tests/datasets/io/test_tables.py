import pytest

from mmsign.datasets.io.tables import read_table
from mmsign.errors import DataError


def write(tmp_path, content: bytes):
    path = tmp_path / 'table.csv'
    path.write_bytes(content)
    return path


def test_rows_and_their_lines(tmp_path):
    path = write(tmp_path, 'a|b\n1|"x\nö|\n'.encode())
    assert read_table(path, ['a', 'b']) == [
        (2, dict(a='1', b='"x')),
        (3, dict(a='ö', b='')),
    ]


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'a|c\n', r'line 1: expected the columns a\|b'),
        (b'a|b\n1|2\n1|2|3\n', 'line 3: expected 2 fields'),
        ('a|b\nö|1\n'.encode('latin-1'), 'table.csv.*UTF-8'),
    ],
)
def test_broken_tables(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_table(write(tmp_path, content), ['a', 'b'])
