import zipfile

import cv2
import numpy as np
import pytest
from tiny_frames import write_frames
from tiny_video import write_video

from mmsign.datasets.io import frame_sources as frames_module
from mmsign.datasets.io.frame_sources import open_frames
from mmsign.errors import FrameReadError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'clip', write_frames(tmp_path / 'clip', 5)


def zipped(folder, path, prefix='inner/clip'):
    with zipfile.ZipFile(path, 'w') as archive:
        for image in sorted(folder.iterdir()):
            archive.write(image, f'{prefix}/{image.name}')
    return f'{path}@{prefix}'


def test_folder_and_zip_hold_the_same_frames(folder, tmp_path):
    path, frames = folder
    for spec in (str(path), zipped(path, tmp_path / 'a.zip')):
        source = open_frames(spec)
        assert len(source) == 5 and source.frame_size == (20, 24)
        indices = np.array([0, 2, 2, 4])
        np.testing.assert_array_equal(source.read(indices), frames[indices])


def test_hidden_images_are_no_frames(folder, tmp_path):
    path, _ = folder
    (path / '._images0001.png').write_bytes(b'of macOS')
    for spec in (str(path), zipped(path, tmp_path / 'a.zip', './inner')):
        assert len(open_frames(spec)) == 5


def test_a_file_of_another_kind_is_named(tmp_path):
    (tmp_path / 'a.xyz').write_bytes(b'')
    with pytest.raises(FrameReadError, match=r'a\.xyz'):
        open_frames(str(tmp_path / 'a.xyz'))


def test_frames_one_after_the_other(folder):
    path, frames = folder
    indices = [0, 1, 1, 1, 4]
    streamed = list(open_frames(str(path)).stream(indices))
    np.testing.assert_array_equal(streamed, frames[indices])


def test_a_missing_or_damaged_image_is_named(folder):
    path, _ = folder
    (path / 'images0003.png').write_bytes(b'\x89PNG broken')
    source = open_frames(str(path))
    np.testing.assert_array_equal(source.read([0, 1]).shape, (2, 24, 20, 3))
    with pytest.raises(FrameReadError, match=r'images0003\.png'):
        source.read([2])


def test_frames_of_another_size_are_named(folder):
    path, _ = folder
    cv2.imwrite(str(path / 'images0002.png'), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(FrameReadError, match=r'images0002\.png'):
        open_frames(str(path)).read([0, 1])


def test_only_the_chosen_frames_are_decoded(folder, monkeypatch):
    path, _ = folder
    decoded = []
    real = frames_module.decode_image
    monkeypatch.setattr(
        frames_module, 'decode_image', lambda d, n: decoded.append(n) or real(d, n)
    )
    source = open_frames(str(path))
    assert source.frame_size == (20, 24) and len(source) == 5
    source.read([3, 1, 3])
    assert [name[-8:] for name in decoded] == ['0002.png', '0004.png']


def test_a_frame_as_png_and_as_jpeg_is_refused(folder, tmp_path):
    path, frames = folder
    cv2.imwrite(str(path / 'images0003.jpg'), frames[2])
    for spec in (str(path), zipped(path, tmp_path / 'a.zip')):
        with pytest.raises(FrameReadError, match=r'images0003\.jpg.*images0003\.png'):
            open_frames(spec)


def test_an_image_is_known_by_its_content_and_other_files_are_named(tmp_path):
    path = tmp_path / 'clip'
    path.mkdir()
    picture = np.full((6, 8, 3), 90, np.uint8)
    for name, suffix in {'1.jpg': '.webp', '2.png': '.jpg', '3.WEBP': '.png'}.items():
        (path / name).write_bytes(cv2.imencode(suffix, picture)[1].tobytes())
    for name in ('notes.txt', '.hidden', 'anim.gif'):
        (path / name).write_text('x')
    source = open_frames(str(path))
    np.testing.assert_allclose(source.read(range(3)), 90, atol=2)
    assert 'anim.gif, notes.txt' in source.left_out and 'hidden' not in source.left_out
    with pytest.raises(FrameReadError, match=r'1\.jpg'):
        (path / '1.jpg').write_bytes((path / '1.jpg').read_bytes()[:-9])
        source.read([0])


@pytest.mark.parametrize('spec', ['nowhere', 'nowhere.zip@x', 'nowhere.mp4'])
def test_sources_that_do_not_exist(tmp_path, spec):
    with pytest.raises(FrameReadError, match='nowhere'):
        len(open_frames(str(tmp_path / spec)))


def test_members_outside_the_archive_are_refused(tmp_path):
    path = tmp_path / 'evil.zip'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('../evil/images0001.png', b'x')
    with pytest.raises(FrameReadError, match=r'evil\.zip'):
        open_frames(f'{path}@evil')


def test_stretches_of_a_video(tmp_path):
    """Of stretches that meet, each frame is in one, whatever the frame rate."""
    path = tmp_path / 'rec.mp4'
    write_video(path, 40, fps=29.97)
    whole = open_frames(str(path))
    pixels = whole.read(np.arange(40))
    for edges in ([0, 0.033, 0.067, 0.5, 2], [0, 0.4004, 0.434, 1.0]):
        parts = [
            open_frames(f'{path}#t={start},{end}')
            for start, end in zip(edges, edges[1:])
        ]
        assert sum(map(len, parts)) == (40 if edges[-1] == 2 else 30)
        first = 0
        for part in parts:
            part_pixels = part.read(np.arange(len(part))[::-1])[::-1]
            assert (part_pixels == pixels[first : first + len(part)]).all()
            expected = whole.times[first : first + len(part)] - whole.times[first]
            np.testing.assert_allclose(part.times, expected)
            first += len(part)
    assert len(parts[0]) == 12 and len(parts[1]) == 1


def test_stretches_that_are_not_there(tmp_path):
    path = tmp_path / 'rec.mp4'
    write_video(path, 25)
    assert open_frames(f'{path}#t=0.5,1.04').notices == ()
    (notice,) = open_frames(f'{path}#t=0.5,1.5').notices
    assert 'over after 1.000 s' in notice
    with pytest.raises(FrameReadError, match=r'no frame from 2 to 3 s.* 1\.000 s long'):
        open_frames(f'{path}#t=2,3')
    write_frames(tmp_path / 'images', 3)
    with pytest.raises(FrameReadError, match='images have no times'):
        open_frames(f'{tmp_path}/images#t=0,1')
    # A folder may really be called so.
    write_frames(tmp_path / 'a#t=0,1', 3)
    assert len(open_frames(f'{tmp_path}/a#t=0,1')) == 3
