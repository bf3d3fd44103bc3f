import zipfile

import numpy as np
import pytest
from grey_video import write_video
from tiny_frames import write_frames

from mmsign.errors import FrameReadError, PoseError
from mmsign.pose.sources import Clip, find_clips, take_shard


def ids(clips: list[Clip]) -> list[str]:
    return [clip.clip_id for clip in clips]


def test_videos_and_folders_of_images_are_clips_at_any_depth(tmp_path):
    write_video(tmp_path / 'b.avi', [1])
    write_video(tmp_path / 'deep' / 'er' / 'a.AVI', [1])
    write_frames(tmp_path / 'frames' / 'one', 2)
    (tmp_path / 'notes.txt').write_text('')
    # What macOS leaves behind is no clip.
    (tmp_path / '._b.avi').write_bytes(b'')
    write_frames(tmp_path / '__MACOSX' / 'frames' / 'one', 1)
    (tmp_path / 'deep' / '._images0001.png').write_bytes(b'')
    clips = find_clips(tmp_path)
    assert ids(clips) == ['b', 'deep/er/a', 'frames/one']
    assert [len(list(clip)) for clip in clips] == [1, 1, 2]


def test_one_video_or_one_folder_of_images_is_a_clip(tmp_path):
    write_video(tmp_path / 'v' / 'b.avi', [1])
    assert ids(find_clips(tmp_path / 'v' / 'b.avi')) == ['b']
    write_frames(tmp_path / 'sign', 1)
    assert ids(find_clips(tmp_path / 'sign')) == ['sign']


def test_folders_in_an_archive_are_clips(tmp_path):
    write_frames(tmp_path / 'f', 2)
    with zipfile.ZipFile(tmp_path / 'All.ZIP', 'w') as archive:
        for image in sorted((tmp_path / 'f').iterdir()):
            archive.write(image, f'top/b/{image.name}')
            archive.write(image, image.name)
    clips = find_clips(tmp_path / 'All.ZIP')
    assert ids(clips) == ['All', 'top/b']
    assert [len(list(clip)) for clip in clips] == [2, 2]


@pytest.mark.slow
def test_a_corpus_names_its_clips(tmp_path):
    tables = tmp_path / 'annotations' / 'manual'
    tables.mkdir(parents=True)
    header = 'name|video|start|end|speaker|orth|translation'
    for split in ('train', 'dev'):
        row = f'{split}-clip|x|-1|-1|S|REGEN|regen .'
        table = tables / f'PHOENIX-2014-T.{split}.corpus.csv'
        table.write_text(f'{header}\n{row}\n')
    clips = find_clips(tmp_path)
    assert ids(clips) == ['train-clip', 'dev-clip']
    assert clips[0].frames.endswith('fullFrame-210x260px/train/train-clip')
    zipped = find_clips(tmp_path, 'Phoenix2014TDataset', frames='all.zip')
    assert zipped[1].frames == f'{tmp_path}/all.zip@dev/dev-clip'


def test_a_manifest_without_all_splits_names_its_clips(tmp_path):
    (tmp_path / 'manifest.csv').write_text(
        'id,video,glosses,split\nhello,videos/v1.mp4,HELLO,train\n'
    )
    (clip,) = find_clips(tmp_path)
    assert clip.clip_id == 'hello' and clip.frames.endswith('videos/v1.mp4')


def test_what_holds_no_clips_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='absent does not exist'):
        find_clips(tmp_path / 'absent')
    with pytest.raises(PoseError, match='neither a corpus nor videos'):
        find_clips(tmp_path)
    with pytest.raises(PoseError, match='no annotations of CSLDailyDataset'):
        find_clips(tmp_path, 'CSLDailyDataset')
    with pytest.raises(PoseError, match='RawframeDataset is no dataset of mmsign'):
        find_clips(tmp_path, 'RawframeDataset')


def test_two_clips_of_one_name_are_refused(tmp_path):
    write_video(tmp_path / 'a.avi', [1])
    write_frames(tmp_path / 'a', 1)
    with pytest.raises(PoseError, match='are both a: rename one'):
        find_clips(tmp_path)


@pytest.mark.parametrize('count', [1, 64, 65])
def test_frames_come_in_order(tmp_path, count):
    frames = write_frames(tmp_path, count)
    streamed = np.stack(list(Clip('a', str(tmp_path))))
    np.testing.assert_array_equal(streamed, frames)


def test_a_video_without_frames_is_an_error(tmp_path):
    (tmp_path / 'a.avi').write_bytes(b'no video')
    with pytest.raises(FrameReadError, match=r'a\.avi'):
        list(Clip('a', str(tmp_path / 'a.avi')))


def test_shards_share_out_the_clips():
    clips = [Clip(name, name) for name in 'abcde']
    shards = [ids(take_shard(clips, f'{i}/3')) for i in (1, 2, 3)]
    assert shards == [['a', 'd'], ['b', 'e'], ['c']]


@pytest.mark.parametrize('shard', ['0/3', '4/3', '3', 'a/b', '1/', '-1/3', '1/2/3'])
def test_a_shard_out_of_range_is_refused(shard):
    with pytest.raises(PoseError, match='expected I/N with I from 1 to N'):
        take_shard([], shard)
