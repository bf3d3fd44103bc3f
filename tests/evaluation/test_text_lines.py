import pytest

from mmsign.errors import DataError
from mmsign.evaluation.text_lines import read_lines, write_lines


def test_round_trip(tmp_path):
    path = tmp_path / 'new' / 'a.txt'
    write_lines(path, ['grün\u2028blau', '', 'x'])
    assert path.read_bytes() == 'grün\u2028blau\n\nx\n'.encode()
    assert read_lines(path) == ['grün\u2028blau', '', 'x']
    assert [p.name for p in path.parent.iterdir()] == ['a.txt']


def test_marks_of_other_systems(tmp_path):
    (tmp_path / 'a').write_bytes('\ufeffa\r\n\r\nb'.encode())
    assert read_lines(tmp_path / 'a') == ['a', '', 'b']


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / 'a'
    write_lines(path, ['old'])
    with pytest.raises(ZeroDivisionError):
        write_lines(path, (str(1 / n) for n in (1, 0)))
    assert read_lines(path) == ['old']
    assert len(list(tmp_path.iterdir())) == 1


def test_faults(tmp_path):
    with pytest.raises(DataError, match='cannot read .*none: No such file'):
        read_lines(tmp_path / 'none')
    (tmp_path / 'a').write_bytes(b'ok\n\xe4\n')
    with pytest.raises(DataError, match='not UTF-8: line 2 holds the byte 0xe4'):
        read_lines(tmp_path / 'a')
