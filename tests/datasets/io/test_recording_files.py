import pytest
from tiny_video import set_durations, write_video

from mmsign.datasets.io.recording_files import (
    RecordedVideo,
    linked_video,
    subtitled_video,
)
from mmsign.errors import DataError, FrameReadError
from mmsign.interop.elan import ElanFile, ElanMedia


def link(url: str, relative: str = '') -> ElanFile:
    return ElanFile((ElanMedia('rec.wav'), ElanMedia(url, relative)))


@pytest.fixture
def folder(tmp_path):
    for name in ('a b.mp4', 'sub/ü.mp4', '100%25.mp4'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ('url', 'relative', 'expected'),
    [
        ('file:///C:/Users/ann/a%20b.mp4', './a b.mp4', 'a b.mp4'),
        ('file:///C:/Users/ann/a b.mp4', './a%20b.mp4', 'a b.mp4'),
        # Escapes, or a name with a percent sign.
        ('file:///nowhere/x.mp4', './100%25.mp4', '100%25.mp4'),
        ('{folder}/sub/%C3%BC.mp4', '', 'sub/ü.mp4'),
        ('file://{folder}/sub/ü.mp4', '../gone/ü.mp4', 'sub/ü.mp4'),
        # A Mac decomposes letters; moved, it lies beside the file.
        ('file:///Volumes/x/a b.mp4', '', 'a b.mp4'),
        ('file:///Volumes/x/u\u0308.mp4', 'sub/u\u0308.mp4', 'sub/ü.mp4'),
        ('C:\\Users\\ann\\a b.mp4', '', 'a b.mp4'),
    ],
)
def test_where_a_video_is_looked_for(folder, url, relative, expected):
    file = link(url.replace('{folder}', str(folder)), relative)
    path, media = linked_video(folder / 'rec.eaf', file, 1, folder)
    assert path.samefile(folder / expected) and media is file.media[1]
    # Of a file elsewhere, too, in the folder of all.
    if '/' not in expected and 'nowhere' not in url:
        path, _ = linked_video(folder / 'sub' / 'rec.eaf', file, 1, folder)
        assert path.samefile(folder / expected)


def test_no_video_is_linked(folder):
    with pytest.raises(DataError, match=r'gone\.mp4 is in none of these places'):
        linked_video(folder / 'rec.eaf', link('file:///x/gone.mp4'), 1, folder)
    with pytest.raises(DataError, match=r'number 2 is linked, only rec\.wav, a b\.mp4'):
        linked_video(folder / 'rec.eaf', link('a b.mp4'), 2, folder)
    with pytest.raises(DataError, match='only nothing'):
        linked_video(folder / 'rec.eaf', ElanFile(), 1, folder)


def test_the_video_of_subtitles(tmp_path):
    for name in ('rec.mp4', 'rec.2.mp4', 'two.mp4', 'two.avi'):
        (tmp_path / name).touch()
    assert subtitled_video(tmp_path / 'rec.2.srt').name == 'rec.2.mp4'
    assert subtitled_video(tmp_path / 'rec.de.srt').name == 'rec.mp4'
    with pytest.raises(DataError, match=r'two\.avi or two\.mp4'):
        subtitled_video(tmp_path / 'two.vtt')
    with pytest.raises(DataError, match='no video'):
        subtitled_video(tmp_path / 'other.rec.srt')


def test_how_long_a_video_is(tmp_path):
    write_video(tmp_path / 'a.mp4', 30)
    video = RecordedVideo.open(tmp_path / 'a.mp4')
    assert video.length == pytest.approx(1.2) and video.fps == pytest.approx(25)
    set_durations(tmp_path / 'a.mp4', [1, 5] * 15)
    assert RecordedVideo.open(tmp_path / 'a.mp4').fps is None
    with pytest.raises(FrameReadError):
        RecordedVideo.open(tmp_path / 'gone.mp4')
