import logging
import pickle

import numpy as np
import pytest
from tiny_frames import write_frames

from mmsign.datasets import CSLDailyDataset
from mmsign.errors import DataError


def entry(name: str, **changes) -> dict:
    clip = dict(
        name=name,
        signer=3,
        length=np.int64(5),
        label_gloss=['他', '喜欢'],
        label_char=['他', '喜', '欢', '。'],
        label_word=['他', '喜欢', '。'],
        time=2,
    )
    return clip | changes


def write_corpus(root, info, split='S1|train\nS2|dev\nS3|train\n', folder='') -> str:
    tables = root / folder
    tables.mkdir(exist_ok=True)
    content = dict(info=info, gloss_map=['他'])
    (tables / 'csl2020ct_v2.pkl').write_bytes(pickle.dumps(content))
    (tables / 'split_1.txt').write_text(f'name|split\n{split}', encoding='utf-8')
    return str(root)


@pytest.mark.parametrize('folder', ['', 'sentence_label'])
def test_official_layout(tmp_path, folder):
    root = write_corpus(tmp_path, [entry(f'S{i}') for i in (1, 2, 3)], folder=folder)
    frames = tmp_path / 'sentence_frames-512x512' / 'S2'
    write_frames(frames, 5, size=(32, 32))
    for index, image in enumerate(sorted(frames.iterdir())):
        image.rename(frames / f'{index:06d}.png')
    clips = CSLDailyDataset(
        data_root=root, split='dev', pipeline=[dict(type='LoadClip', keypoints=False)]
    )
    info = clips.get_data_info(0)
    assert len(clips) == 1 and info['clip_id'] == 'S2' and info['signer'] == '3'
    assert info['glosses'] == ['他', '喜欢'] and info['text'] == '他喜欢。'
    assert clips.metainfo['level'] == 'character'
    assert clips[0]['num_frames'] == 5 and clips[0]['frame_size'] == (32, 32)
    assert CSLDailyDataset.training_glosses(root) == [['他', '喜欢']] * 2


def test_a_clip_without_annotation_is_left_out(tmp_path, caplog):
    root = write_corpus(tmp_path, [entry('S1'), entry('S2')])
    with caplog.at_level(logging.WARNING):
        clips = CSLDailyDataset.load_annotations(root, 'train')
    assert [clip['clip_id'] for clip in clips] == ['S1']


@pytest.mark.parametrize(
    ('info', 'split', 'message'),
    [
        ({}, 'S1|train\n', 'a list under the key info'),
        ([dict(name='S1')], 'S1|train\n', 'entry 0: expected a dict with name'),
        ([entry('S1', label_gloss='他')], 'S1|train\n', 'entry 0: .*label_gloss'),
        ([entry('S1', length=None)], 'S1|train\n', 'number of frames'),
        ([entry('S1', signer=[])], 'S1|train\n', 'names under name and signer'),
        ([entry('S1')], 'S1|val\n', "line 2: split 'val' is none of"),
        ([entry('S1')], 'S1\n', 'line 2: expected 2 fields'),
    ],
)
def test_broken_files(tmp_path, info, split, message):
    with pytest.raises(DataError, match=message):
        CSLDailyDataset.load_annotations(write_corpus(tmp_path, info, split), 'train')


def test_a_missing_corpus_says_what_is_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'csl2020ct_v2\.pkl and split_1\.txt'):
        CSLDailyDataset(data_root=str(tmp_path), split='dev')
