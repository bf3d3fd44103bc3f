import shutil
import zipfile

import cv2
import numpy as np
import pytest

from mmsign.datasets.io.frame_sources import open_frames
from mmsign.datasets.io.packs import PackWriter, pack_clip, shrink
from mmsign.errors import DataError, FrameReadError

OPTIONS = dict(short_side=16)
CLIPS = {
    f'train/clip{index}': [bytes([index, frame]) * 300 for frame in range(3)]
    for index in range(4)
}


@pytest.fixture
def smooth(tmp_path):
    """A clip of 5 smooth frames of 40×60 as PNG images, and the frames."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (5, 4, 3, 3), dtype=np.uint8)
    frames = np.stack([cv2.resize(image, (40, 60)) for image in coarse])
    folder = tmp_path / 'clip'
    folder.mkdir()
    for index, frame in enumerate(frames):
        cv2.imwrite(str(folder / f'f{index}.png'), frame)
    return str(folder), frames


def write(path, clips=CLIPS) -> PackWriter:
    writer = PackWriter(path, OPTIONS)
    for folder, images in clips.items():
        if folder not in writer.done:
            writer.add(folder, images)
    return writer


def test_a_packed_clip_is_the_clip(smooth, tmp_path):
    spec, frames = smooth
    writer = PackWriter(tmp_path / 'pack.zip', OPTIONS)
    writer.add('dev/clip', pack_clip(spec, short_side=256, quality=95))
    writer.finish()
    packed = open_frames(f'{tmp_path}/pack.zip@dev/clip')
    assert packed.frame_size == packed.source_size == (40, 60)
    found = packed.read(range(5)).astype(int)
    assert np.abs(found - frames).mean() < 3


def test_smaller_frames_remember_the_size_of_the_source(smooth, tmp_path):
    spec, frames = smooth
    folder = tmp_path / 'small'
    folder.mkdir()
    for index, image in enumerate(pack_clip(spec, short_side=20, quality=95)):
        (folder / f'{index}.jpg').write_bytes(image)
    packed = open_frames(str(folder))
    assert packed.frame_size == (20, 30) and packed.source_size == (40, 60)
    # Packed again: the size is still that of the first source.
    (again, *_) = pack_clip(str(folder), short_side=10, quality=95)
    (folder / '0.jpg').write_bytes(again)
    once_more = open_frames(str(folder))
    assert once_more.frame_size == (10, 15) and once_more.source_size == (40, 60)
    expected = frames.reshape(5, 30, 2, 20, 2, 3).mean((2, 4))
    assert np.abs(packed.read(range(1, 5)) - expected[1:]).mean() < 4


def test_shrinking_keeps_the_shape():
    assert shrink(np.zeros((512, 640, 3), np.uint8), 256).shape == (256, 320, 3)
    small = np.zeros((100, 90, 3), np.uint8)
    assert shrink(small, 256) is small


def test_interrupted_at_any_byte_the_pack_is_the_same(tmp_path):
    whole = tmp_path / 'whole.zip'
    writer = write(whole)
    writer._file.flush()
    partial = (tmp_path / 'whole.zip.partial').read_bytes()
    assert not whole.exists()
    writer.finish()
    expected = whole.read_bytes()
    with zipfile.ZipFile(whole) as archive:
        assert archive.testzip() is None and len(archive.namelist()) == 13
    rng = np.random.default_rng(0)
    cuts = [0, 1, len(partial), *rng.integers(0, len(partial), 30)]
    for cut in cuts:
        path = tmp_path / 'cut.zip'
        (tmp_path / 'cut.zip.partial').write_bytes(partial[:cut])
        write(path).finish()
        assert path.read_bytes() == expected, cut
        path.unlink()


def test_what_is_complete_is_not_written_again(tmp_path):
    first = write(tmp_path / 'a.zip')
    first._file.flush()
    shutil.copy(tmp_path / 'a.zip.partial', tmp_path / 'b.zip.partial')
    # The last one may be incomplete.
    assert PackWriter(tmp_path / 'b.zip', OPTIONS).done == set(list(CLIPS)[:3])


def test_a_damaged_part_ends_what_is_kept(tmp_path):
    first = write(tmp_path / 'a.zip')
    first._file.flush()
    data = bytearray((tmp_path / 'a.zip.partial').read_bytes())
    data[data.index(b'clip2/000002.jpg') + 20] ^= 1
    (tmp_path / 'b.zip.partial').write_bytes(data)
    assert PackWriter(tmp_path / 'b.zip', OPTIONS).done == set(list(CLIPS)[:2])


def test_refusals(tmp_path, smooth):
    write(tmp_path / 'a.zip').finish()
    with pytest.raises(DataError, match=r'a\.zip'):
        PackWriter(tmp_path / 'a.zip', OPTIONS)
    unfinished = write(tmp_path / 'b.zip')
    unfinished._file.flush()
    with pytest.raises(DataError, match=r'b\.zip\.partial'):
        PackWriter(tmp_path / 'b.zip', dict(short_side=17))
    spec, _ = smooth
    with open(f'{spec}/f3.png', 'wb') as file:
        file.write(b'broken')
    with pytest.raises(FrameReadError, match=r'f3\.png'):
        pack_clip(spec, 256, 95)
