import pytest

from mmsign.datasets.file_stamp import file_stamp


def test_a_changed_file_has_another_stamp(tmp_path):
    path = tmp_path / 'x'
    path.write_text('a')
    first = file_stamp(str(path))
    assert file_stamp(str(path)) == first
    path.write_text('bb')
    assert file_stamp(str(path)) != first
    with pytest.raises(OSError):
        file_stamp(str(tmp_path / 'gone'))
