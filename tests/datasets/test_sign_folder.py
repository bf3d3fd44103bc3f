import json
import zipfile

import numpy as np
import pytest
from tiny_frames import write_frames
from tiny_video import write_video

from mmsign.datasets import (
    KeypointFile,
    SignFolderDataset,
    open_frames,
    write_keypoints,
)
from mmsign.datasets.samplers import LengthBucketSampler, known_length
from mmsign.errors import ConfigError, DataError

PIPELINE = [dict(type='LoadClip', keypoints=False)]
CSV = (
    'split,id,video,glosses,text,signer,note\n'
    'train,a,clips/a,SUN  RAIN,"it shines, it rains",Ann,x\n'
    'dev,b,all.zip@in/b,SUN,,,\n'
    'train,c/1,clips/a,,,Ann,\n'
)
JSON = [
    dict(split='train', id='a', video='clips/a', glosses='SUN RAIN', text='it shines'),
    dict(split='dev', id='b', video='all.zip@in/b', glosses=['SUN']),
]


@pytest.fixture
def root(tmp_path):
    write_frames(tmp_path / 'clips' / 'a', 3)
    with zipfile.ZipFile(tmp_path / 'all.zip', 'w') as archive:
        for image in sorted((tmp_path / 'clips' / 'a').iterdir()):
            archive.write(image, f'in/b/{image.name}')
    return tmp_path


def test_csv(root):
    (root / 'manifest.csv').write_text(CSV, encoding='utf-8-sig')
    train = SignFolderDataset(data_root=str(root), split='train', pipeline=PIPELINE)
    first, second = (train.get_data_info(index) for index in (0, 1))
    assert first['glosses'] == ['SUN', 'RAIN'] and first['signer'] == 'Ann'
    assert first['text'] == 'it shines, it rains' and second['glosses'] == []
    assert second['clip_id'] == 'c/1' and second['text'] is None
    dev = SignFolderDataset(
        data_root=str(root),
        split='dev',
        pipeline=PIPELINE,
        metainfo=dict(level='character'),
    )
    assert train[0]['num_frames'] == dev[0]['num_frames'] == 3
    assert dev.metainfo['level'] == 'character'
    assert SignFolderDataset.training_glosses(str(root)) == [['SUN', 'RAIN'], []]


def test_frames_elsewhere_win_over_the_manifest(root):
    (root / 'manifest.csv').write_text(CSV, encoding='utf-8-sig')
    dev = SignFolderDataset(data_root=str(root), split='dev', frames='pack.zip')
    assert dev.get_data_info(0)['frames'] == f'{root}/pack.zip@dev/b'
    # As the configs have it unless told otherwise.
    dev = SignFolderDataset(data_root=str(root), split='dev', frames='')
    assert dev.get_data_info(0)['frames'] == f'{root}/all.zip@in/b'


def test_spaces_around_a_signer(root):
    (root / 'my.jsonl').write_text(json.dumps(dict(JSON[0], signer=' Ann ')))
    train = SignFolderDataset(str(root), JSON[0]['split'], ann_file='my.jsonl')
    assert train.get_data_info(0)['signer'] == 'Ann'


def test_json_lines(root):
    lines = '\r\n'.join(json.dumps(row) for row in JSON)
    (root / 'my.jsonl').write_text(lines + '\n\n', encoding='utf-8')
    dev = SignFolderDataset(
        data_root=str(root), split='dev', ann_file='my.jsonl', pipeline=PIPELINE
    )
    assert dev.get_data_info(0)['glosses'] == ['SUN'] and dev[0]['num_frames'] == 3


def test_numbers_are_names_too(root):
    row = dict(JSON[0], id=7, signer=5)
    (root / 'manifest.jsonl').write_text(json.dumps(row), encoding='utf-8')
    train = SignFolderDataset(data_root=str(root), split='train')
    info = train.get_data_info(0)
    assert (info['clip_id'], info['signer']) == ('7', '5')


HEAD = 'id,video,glosses,split\n'


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('m.csv', b'', 'line 1: expected the columns'),
        ('m.csv', b'id,video,glosses\n', 'line 1: expected the columns'),
        ('m.csv', HEAD.encode() + b'a,v,SUN\n', 'm.csv, line 2: expected 4 fields'),
        ('m.csv', HEAD.encode() + b'a,v,"SUN,dev\n', 'no CSV'),
        ('m.csv', HEAD.encode() + b'a,v,SUN,val\n', "split 'val' is none"),
        ('m.csv', HEAD.encode() + b'a,v\0,SUN,dev\n', 'm.csv, line 2'),
        ('m.csv', (HEAD + 'a,v,FRÜH,dev\n').encode('latin-1'), 'm.csv.*UTF-8'),
        ('m.csv', HEAD.encode() + b'../a,v,SUN,train\n', 'no usable name'),
        ('m.csv', HEAD.encode() + b'a,v,SUN,dev\n', 'train split .* has no clips'),
        ('m.jsonl', b'{"id": "a"\n', 'line 1: no JSON'),
        ('m.jsonl', b'[' * 100_000, 'line 1: no JSON'),
        ('m.jsonl', b'3\n', 'line 1: expected an object'),
        ('m.jsonl', b'\n{"id": 3.5}\n', "line 2: expected a string under 'id'"),
        ('m.csv', HEAD.replace(',', ';').encode(), 'line 1: .*id,video,glosses,split'),
        ('m.csv', HEAD.encode('utf-16'), 'm.csv.*UTF-8'),
        (
            'm.csv',
            HEAD.encode() + b'a,v,SUN,train\na,w,SUN,dev\n',
            "line 3: clip 'a' occurs twice, first at .*line 2",
        ),
        ('m.txt', b'', 'a manifest is a file'),
        (
            'm.csv',
            b'id,glosses,split,frame_size\na,SUN,train,wide\n',
            "line 2: frame_size: 'wide' is no size",
        ),
    ],
)
def test_broken_manifests(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        SignFolderDataset(data_root=str(tmp_path), split='train', ann_file=name)


def test_no_manifest(tmp_path):
    for ann_file in (None, 'x.csv'):
        with pytest.raises(FileNotFoundError, match='manifest'):
            SignFolderDataset(data_root=str(tmp_path), split='train', ann_file=ann_file)


def test_the_forms_of_unicode(tmp_path, caplog):
    """Glosses are one class, files are found, ZWNJ and ZWJ are letters."""
    composed, decomposed = 'grün', 'gru\u0308n'
    persian = 'می\u200cروم'
    names = [decomposed, 'b\u200d', persian]
    for name in (decomposed, 'b\u200d', persian):
        write_frames(tmp_path / 'clips' / name, 2)
    rows = [
        f'{name},clips/{composed if name == decomposed else name},{gloss},train'
        for name, gloss in zip(names, (composed, decomposed, persian))
    ]
    text = 'id,video,glosses,split\n' + '\n'.join(rows)
    (tmp_path / 'manifest.csv').write_text(text, encoding='utf-8')
    with caplog.at_level('WARNING'):
        corpus = SignFolderDataset(str(tmp_path), 'train')
    infos = [corpus.get_data_info(index) for index in range(3)]
    assert [info['clip_id'] for info in infos] == [composed, 'b\u200d', persian]
    assert [info['glosses'] for info in infos] == [[composed], [composed], [persian]]
    assert all(len(open_frames(info['frames'])) == 2 for info in infos)
    points = {decomposed: np.ones((2, 133, 3))}
    write_keypoints(tmp_path / 'k.safetensors', points)
    found = KeypointFile(tmp_path / 'k.safetensors')
    assert found.length(composed) == 2 and composed in found
    archive = tmp_path / 'a.zip'
    with zipfile.ZipFile(archive, 'w') as file:
        picture = next((tmp_path / 'clips' / decomposed).iterdir())
        file.write(picture, f'{decomposed}/1.png')
    assert len(open_frames(f'{archive}@{composed}')) == 1


@pytest.mark.parametrize('name', ['a\nb', 'a\u2028b', 'a\u202eb', '\ufeffa', ' '])
def test_names_that_disturb_reading(tmp_path, name):
    row = json.dumps(dict(id=name, video='v', glosses='A', split='train'))
    (tmp_path / 'manifest.jsonl').write_text(row)
    with pytest.raises(DataError, match='manifest.jsonl'):
        SignFolderDataset(str(tmp_path), 'train')


def test_keypoints_alone(tmp_path):
    """Neither a column for videos nor a video is needed; rates may be stated."""
    rows = 'id,glosses,split,fps\na,SUN,train,50\nb,RAIN,train,\n'
    (tmp_path / 'manifest.csv').write_text(rows)
    points = {name: np.ones((10, 79, 3)) for name in 'ab'}
    write_keypoints(tmp_path / 'k.safetensors', points, 'mmsign_79', (64, 48))
    pipeline = [
        dict(type='LoadClip', frames=False),
        dict(type='SampleClip', test=True, stride=1, max_length=99),
    ]
    settings = dict(keypoint_file='k.safetensors', fps=25, pipeline=pipeline)
    corpus = SignFolderDataset(str(tmp_path), 'train', **settings)
    assert [clip['num_frames'] for clip in corpus] == [5, 10]
    corpus = SignFolderDataset(str(tmp_path), 'train', step=3, **settings)
    assert [clip['frame_indices'].tolist() for clip in corpus] == [[0, 3], [0, 3, 6, 9]]
    infos = [corpus.get_data_info(index) for index in (0, 1)]
    assert [known_length(info) for info in infos] == [2, 4]
    for step in (0, 1.5, True):
        with pytest.raises(ConfigError, match='step takes'):
            SignFolderDataset(str(tmp_path), 'train', step=step)


@pytest.mark.parametrize('fps', ['fast', '0', 'nan', '-25'])
def test_rates_that_are_none(tmp_path, fps):
    (tmp_path / 'manifest.csv').write_text(f'id,glosses,split,fps\na,SUN,train,{fps}\n')
    with pytest.raises(DataError, match='manifest.csv, line 2: .*fps'):
        SignFolderDataset(str(tmp_path), 'train')
    row = dict(id='a', glosses='SUN', split='train', fps=12.5)
    (tmp_path / 'm.jsonl').write_text(json.dumps(row))
    corpus = SignFolderDataset(str(tmp_path), 'train', ann_file='m.jsonl')
    assert corpus.get_data_info(0)['source_fps'] == 12.5


def test_stretches_of_a_recording(tmp_path):
    write_video(tmp_path / 'rec.mp4', 50)
    rows = [
        dict(split='train', id='a', video='rec.mp4', glosses='SUN', start=0.4, end=1),
        dict(split='train', id='b', video='rec.mp4', glosses='', start='1', end='1.2'),
        dict(split='train', id='c', video='rec.mp4', glosses='', start='', end=None),
    ]
    lines = '\n'.join(map(json.dumps, rows))
    (tmp_path / 'manifest.jsonl').write_text(lines, encoding='utf-8')
    train = SignFolderDataset(str(tmp_path), 'train', pipeline=PIPELINE)
    assert [clip['num_frames'] for clip in train] == [15, 5, 50]
    part, whole = (train[index]['frame_source'] for index in (1, 2))
    assert (part.read(np.arange(5)) == whole.read(np.arange(25, 30))).all()
    # At another rate; and in the order of lengths.
    half = SignFolderDataset(str(tmp_path), 'train', pipeline=PIPELINE, fps=12.5)
    assert [clip['num_frames'] for clip in half] == [8, 2, 25]
    assert LengthBucketSampler(train, 1).lengths == [15, 5, 50]
    # Keypoints are those of the stretch; packed frames are, too.
    points = dict(a=np.ones((15, 133, 3)), b=np.ones((6, 133, 3)))
    write_keypoints(tmp_path / 'k.safetensors', points, frame_size=(64, 48))
    for frames in (True, False):
        both = SignFolderDataset(
            str(tmp_path),
            'train',
            keypoint_file='k.safetensors',
            fps=12.5,
            pipeline=[dict(type='LoadClip', frames=frames)],
        )
        assert both[0]['num_frames'] == len(both[0]['keypoints']) == 8
        with pytest.raises(DataError, match='clip b: 5 frames in .*keypoints of 6'):
            both[1]
    packed = SignFolderDataset(str(tmp_path), 'train', frames='pack.zip')
    assert packed.get_data_info(0)['frames'] == f'{tmp_path}/pack.zip@train/a'


@pytest.mark.parametrize(
    ('video', 'times', 'message'),
    [
        ('rec.mp4', '1,', "start '1' and end ''"),
        ('rec.mp4', '2,1', 'start before the end'),
        ('rec.mp4', '-1,1', 'start before the end'),
        ('rec.mp4', 'nan,1', 'start before the end'),
        ('rec.mp4', '0,inf', 'start before the end'),
        ('', '0,1', 'no video'),
    ],
)
def test_stretches_that_are_none(tmp_path, video, times, message):
    text = f'split,id,video,glosses,start,end\ntrain,a,{video},A,{times}\n'
    (tmp_path / 'manifest.csv').write_text(text)
    with pytest.raises(DataError, match=f'line 2.*{message}'):
        SignFolderDataset(str(tmp_path), 'train')
