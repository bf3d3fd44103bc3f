"""mmsign.files: nobody ever finds half a file."""

import os
import subprocess
import sys

import pytest

from mmsign.errors import ConfigError, DataError
from mmsign.files import (
    LineWriter,
    check_outputs,
    file_stamp,
    partial_path,
    read_lines,
    replacing,
    replacing_path,
    write_lines,
    write_text,
)


def test_nothing_is_to_be_seen_before_the_end(tmp_path):
    target = tmp_path / 'new' / 'file.txt'
    with replacing(target, 'w') as file:
        file.write('whole\r\n')
        assert not target.exists()
    assert target.read_bytes() == b'whole\r\n'
    assert os.listdir(target.parent) == ['file.txt']


def test_what_fails_leaves_the_old_file(tmp_path):
    target = tmp_path / 'file.txt'
    write_text(target, 'old')
    with pytest.raises(KeyError), replacing(target) as file:
        file.write(b'half of it')
        raise KeyError
    assert target.read_text() == 'old'
    assert os.listdir(tmp_path) == ['file.txt']


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / 'real.txt').write_text('old')
    (tmp_path / 'link.txt').symlink_to('real.txt')
    write_text(tmp_path / 'link.txt', 'new')
    assert (tmp_path / 'link.txt').is_symlink()
    assert (tmp_path / 'real.txt').read_text() == 'new'


@pytest.mark.slow
def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path):
    target = tmp_path / 'file.txt'
    script = (
        'import os, sys; sys.path.insert(0, sys.argv[2])\n'
        'from mmsign.files import replacing\n'
        'with replacing(sys.argv[1]) as file:\n'
        '    file.write(b"half"); file.flush(); os._exit(9)\n'
    )
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    subprocess.run([sys.executable, '-c', script, target, root], check=False)
    assert len(os.listdir(tmp_path)) == 1
    # That of a process that is alive stays: it is being written.
    alive = target.with_name(
        partial_path(target).name.replace(str(os.getpid()), str(os.getppid()))
    )
    alive.write_bytes(b'being written')
    write_text(target, 'whole')
    assert sorted(os.listdir(tmp_path)) == sorted(['file.txt', alive.name])


def test_lines(tmp_path):
    path = tmp_path / 'new' / 'a.txt'
    write_lines(path, ['grün\u2028blau', '', 'x'])
    assert path.read_bytes() == 'grün\u2028blau\n\nx\n'.encode()
    assert read_lines(path) == ['grün\u2028blau', '', 'x']
    path.write_bytes('\ufeffa\r\n\r\nb'.encode())  # as Windows writes them
    assert read_lines(path) == ['a', '', 'b']
    path.write_bytes(b'ok\n\xe4\n')
    with pytest.raises(DataError, match='a.txt.*line 2.*0xe4'):
        read_lines(path)
    with pytest.raises(DataError, match='none'):
        read_lines(tmp_path / 'none')


def test_lines_are_there_as_they_are_written(tmp_path):
    path = tmp_path / 'new' / 'a.jsonl'
    writer = LineWriter(path)
    assert not path.parent.exists()
    for count, line in enumerate(['a', '"grün \udce9"', ''], 1):
        writer.write(line)
        assert writer.count == count == path.read_bytes().count(b'\n')
    assert path.read_text('utf-8') == 'a\n"grün \\udce9"\n\n'
    LineWriter(path).write('new')
    assert path.read_text() == 'new\n'


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


@pytest.fixture
def clip(tmp_path, monkeypatch):
    """A clip in a folder of its own, and the folder above as the current one."""
    monkeypatch.chdir(tmp_path)
    os.mkdir('videos')
    path = tmp_path / 'videos' / 'clip.mp4'
    path.write_bytes(b'frames')
    return path


def spellings(clip):
    yield clip
    yield os.path.relpath(clip)
    yield './videos/../videos//clip.mp4'
    for make, name in ((os.symlink, 'link.mp4'), (os.link, 'hard.mp4')):
        make(clip, name)
        yield name
    os.symlink('videos', 'other')
    yield 'other/clip.mp4'


def test_an_output_is_no_input(clip):
    for output in spellings(clip):
        for read in (clip, f'{clip}@member'):
            with pytest.raises(ConfigError, match='clip.mp4'):
                check_outputs([output], ['none.json', None, read])
    for output in ('videos/new.png', 'other/deep/new.mp4'):
        with pytest.raises(ConfigError, match=output):
            check_outputs([output], [clip.parent])
    with pytest.raises(ConfigError, match='other'):
        check_outputs(['other'], ['videos/'], folders=True)
    check_outputs(['videos/new.jsonl'], [clip.parent])
    check_outputs(['new.mp4', None], [clip], ['.mp4'])
    check_outputs(['deep/er/new.mp4'], [clip])
    check_outputs(['deep/er'], [clip], folders=True)
    assert not os.path.exists('deep') and not os.path.exists('new.mp4')


def test_an_output_has_its_kind_and_its_place(clip):
    for outputs, suffixes in (
        (['clip.jsonl'], ['.html', '.png']),
        (['clip'], ['.html']),
        (['a.html', './a.html'], ['.html']),
        (['videos'], []),
        ([f'{clip}/a.html'], []),
    ):
        with pytest.raises(ConfigError, match=os.path.basename(outputs[-1])):
            check_outputs(outputs, (), suffixes)
    check_outputs(['A.HTML', 'b.png'], (), ['.html', '.png'])
    with pytest.raises(ConfigError, match='clip.mp4'):
        check_outputs([clip], folders=True)


def test_what_is_no_file_is_written_to(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    reader = os.open(tmp_path / 'pipe', os.O_RDONLY | os.O_NONBLOCK)
    write_text(tmp_path / 'pipe', 'words')
    assert os.read(reader, 9) == b'words'
    assert os.listdir(tmp_path) == ['pipe']


def test_a_library_writes_beside(tmp_path):
    target = tmp_path / 'clip.mp4'
    target.write_bytes(b'old')
    with pytest.raises(KeyError), replacing_path(target, '.mp4') as path:
        path.write_bytes(b'half')
        raise KeyError
    with replacing_path(target, '.mp4') as path:
        assert path.suffix == '.mp4' and path.parent == tmp_path
        path.write_bytes(b'new')
    assert target.read_bytes() == b'new' and os.listdir(tmp_path) == ['clip.mp4']
