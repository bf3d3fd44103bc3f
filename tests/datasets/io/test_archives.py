import pickle
import zipfile
from pathlib import Path

import pytest

from mmsign.datasets.io.archives import Archive, open_archive
from mmsign.errors import FrameReadError


@pytest.fixture
def path(tmp_path):
    path = tmp_path / 'a.zip'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('clip/1.png', b'one' * 50)
        archive.writestr('clip/note.txt', b'no image')
        archive.writestr('other/2.jpg', b'two')
    return str(path)


def test_members_are_found_and_read(path):
    archive = open_archive(path)
    assert open_archive(path) is archive
    members = archive.images('clip')
    assert list(members) == ['1.png']
    assert archive.read(members['1.png'], 'x') == b'one' * 50
    copy = pickle.loads(pickle.dumps(archive))
    assert copy.read(copy.images('other')['2.jpg'], 'x') == b'two'


def test_folders_that_are_not_there_name_some_that_are(path):
    with pytest.raises(FrameReadError, match='gone.*clip'):
        Archive(path).images('gone')


def test_damage_is_noticed(path, tmp_path):
    archive = Archive(path)
    member = archive.images('other')['2.jpg']
    data = bytearray(Path(path).read_bytes())
    position = data.index(b'other/2.jpg') + len('other/2.jpg')
    data[position] ^= 0xFF
    damaged = tmp_path / 'damaged.zip'
    damaged.write_bytes(data)
    with pytest.raises(FrameReadError, match='x: '):
        Archive(str(damaged)).read(member, 'x')
    damaged.write_bytes(data[:-30])
    with pytest.raises(FrameReadError, match=r'damaged\.zip'):
        Archive(str(damaged))


@pytest.mark.parametrize(
    'name', ['../x.png', '../x.txt', '/x.txt', 'a/../../x', 'a\\..\\x']
)
def test_members_outside_are_refused_whatever_they_are(tmp_path, name):
    with zipfile.ZipFile(tmp_path / 'a.zip', 'w') as archive:
        archive.writestr('clip/1.png', b'one')
        archive.writestr(name, b'two')
    with pytest.raises(FrameReadError, match=r'a\.zip.*x'):
        Archive(str(tmp_path / 'a.zip'))


def test_names_as_other_packers_write_them(tmp_path):
    with zipfile.ZipFile(tmp_path / 'a.zip', 'w') as archive:
        archive.writestr('./dot/1.png', b'one')
        archive.writestr('back\\slash\\2.png', b'two')
        archive.writestr('dot/._1.png', b'hidden')
        archive.writestr('__MACOSX/dot/._1.png', b'hidden')
    archive = Archive(str(tmp_path / 'a.zip'))
    assert list(archive.images('dot')) == ['1.png']
    assert list(archive.images('back/slash')) == ['2.png']
