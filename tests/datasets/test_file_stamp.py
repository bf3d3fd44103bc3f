import os

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


def test_a_file_replaced_within_one_tick_of_the_clock_has_another_stamp(tmp_path):
    path, other = tmp_path / 'x', tmp_path / 'y'
    for file, text in ((path, 'a'), (other, 'b')):
        file.write_text(text)
        os.utime(file, ns=(0, 0))
    first = file_stamp(str(path))
    os.replace(other, path)
    assert file_stamp(str(path)) != first
