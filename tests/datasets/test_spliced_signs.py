from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from tiny_frames import write_frames
from torch.utils.data import DataLoader

from mmsign.datasets import LengthBucketSampler, SplicedSigns, write_keypoints
from mmsign.engine.hooks import OutputLengthHook
from mmsign.errors import ConfigError, DataError
from mmsign.keypoints import SHOULDERS

# Signer, glosses, frames.
CLIPS = {
    'a0': ('a', 'RAIN', 8),
    'a1': ('a', 'SUN', 12),
    'a2': ('a', 'WIND', 8),
    'a3': ('a', 'SUN', 16),
    'a4': ('a', '', 20),
    'b0': ('b', 'RAIN', 8),
    'b1': ('b', 'SNOW', 12),
    'b2': ('b', 'RAIN SUN WIND', 24),
}
NAMES = list(CLIPS)
FRAME = 320, 240
CROP = dict(type='SignerCrop')
PACK = (dict(type='PackClip'),)


def clip_points(number: int, frames: int) -> np.ndarray:
    """(T, 79, 3): somebody in a place and of a size of their own, moving slowly.

    The first keypoint's score says which clip it is, the second's which frame. Below
    0, neither was found: in a movement they stay as in the nearer clip.
    """
    rng = np.random.default_rng(number)
    points = np.ones((frames, 79, 3), np.float32)
    width, middle = rng.integers(20, 40) * 2, rng.integers(100, 140, 2)
    points[..., :2] = rng.normal(0, 0.4, (79, 2)) * width + middle
    points[..., :2] += np.arange(frames)[:, None, None] * 0.3
    points[:, SHOULDERS, :2] = middle + np.array([[1, 0], [-1, 0]]) * width / 2
    points[:, 0, 2] = -(number + 1) / 64
    points[:, 1, 2] = -(np.arange(frames) + 1) / 64
    return points


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('signs')
    rows, poses = ['id,video,glosses,split,signer'], {}
    for number, (name, (signer, glosses, frames)) in enumerate(CLIPS.items()):
        write_frames(folder / name, frames)
        rows.append(f'{name},{name},{glosses},train,{signer}')
        poses[name] = clip_points(number, frames)
    rows += ['d,a0,RAIN,dev,a', 't,a0,RAIN,test,a']
    (folder / 'manifest.csv').write_text('\n'.join(rows))
    write_keypoints(folder / 'k.safetensors', poses, 'mmsign_79', FRAME)
    return folder


def corpus(root, split: str = 'train', steps=(CROP,), **settings) -> dict:
    return (
        dict(
            type='SignFolderDataset',
            data_root=str(root),
            keypoint_file='k.safetensors',
            split=split,
            pipeline=[
                dict(type='LoadClip', frames=False),
                dict(type='SampleClip', test=True),
                *steps,
            ],
        )
        | settings
    )


def spliced(root, pipeline=PACK, steps=(CROP,), **settings) -> SplicedSigns:
    return SplicedSigns(corpus(root, steps=steps), pipeline, **settings)


def item(dataset: SplicedSigns, index: int, seed: int = 0) -> tuple[np.ndarray, object]:
    """Keypoints (T, 79, 3) and data sample."""
    np.random.seed(seed)
    packed = dataset[index]
    return packed['inputs']['keypoints'].numpy(), packed['data_samples']


def parts_of(points: np.ndarray) -> list[tuple[str, list[int]]]:
    """Clip and frames of each run of a clip's own frames; joints are among them."""
    clips = (-64 * points[:, 0, 2]).astype(int) - 1
    frames = (-64 * points[:, 1, 2]).astype(int) - 1
    cuts = np.flatnonzero(np.diff(clips)) + 1
    return [
        (NAMES[part[0]], list(numbers))
        for part, numbers in zip(np.split(clips, cuts), np.split(frames, cuts))
    ]


def without_joints(frames: list[int], is_first: bool, is_last: bool) -> list[int]:
    """Frames of a part without repeats of its first and last one in joints."""
    kept = list(frames)
    while not is_first and len(kept) > 1 and kept[0] == kept[1]:
        kept = kept[1:]
    while not is_last and len(kept) > 1 and kept[-1] == kept[-2]:
        kept = kept[:-1]
    return kept


def test_glosses_are_those_of_the_parts_and_of_one_signer(root):
    dataset = spliced(root, signs=(1, 4), rest=0)
    counts = set()
    for seed in range(12):
        for index in (0, 1, 5):
            points, sample = item(dataset, index, seed)
            parts = parts_of(points)
            names = [name for name, _ in parts]
            assert names[0] == NAMES[index] == sample.clip_id
            # The same clip twice in a row looks like one longer part.
            shown = [CLIPS[name][1] for name in names]
            once = [g for g, after in pairwise([*sample.glosses, '']) if g != after]
            shown = [g for g, after in pairwise([*shown, '']) if g != after]
            assert once == shown and sample.text is None
            assert {CLIPS[name][0] for name in names} == {NAMES[index][0]}
            assert sample.signer == NAMES[index][0]
            assert sample.length == sample.num_frames == len(points)
            np.testing.assert_array_equal(sample.frame_indices, range(len(points)))
            counts.add(len(sample.glosses))
    assert counts == {1, 2, 3, 4}


def test_every_part_is_there_as_a_whole_and_joints_have_their_length(root):
    dataset = spliced(root, signs=(2, 2), rest=0, frames=(3, 6))
    joints = set()
    for seed in range(30):
        points, sample = item(dataset, 2, seed)
        parts = parts_of(points)
        if len(parts) < 2:
            continue
        (first, a), (second, b) = parts
        assert without_joints(a, True, False) == [*range(CLIPS[first][2])]
        assert without_joints(b, False, True) == [*range(CLIPS[second][2])]
        joints.add(len(points) - CLIPS[first][2] - CLIPS[second][2])
    assert joints == {3, 4, 5, 6}


def test_places_in_a_clips_own_box_are_kept(root):
    dataset = spliced(root, signs=(2, 2), rest=0)
    alone = spliced(root, signs=(1, 1))

    def shares(index: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        points, sample = item(dataset if seed else alone, index, seed)
        x0, y0, width, height = sample.crop_box
        return points, (points[..., :2] + 0.5 - (x0, y0)) / (width, height)

    for seed in range(1, 9):
        points, found = shares(0, seed)
        name, frames = parts_of(points)[-1]
        count = CLIPS[name][2]
        _, own = shares(NAMES.index(name))
        np.testing.assert_allclose(found[-count:], own, atol=1e-4)
        assert frames[-count:] == [*range(count)]


def test_hands_move_over_in_a_straight_line(root):
    dataset = spliced(root, signs=(2, 2), rest=0, frames=(5, 5))
    for seed in range(4):
        points, sample = item(dataset, 0, seed)
        joint = points[7:14]  # the last frame of the first, five, the first of the next
        steps = np.diff(joint[:, 2:, :2], axis=0)
        np.testing.assert_allclose(steps, np.repeat(steps[:1], 6, 0), atol=1e-3)
        assert np.abs(steps).max() > 0.05


def test_what_is_missing_on_one_side_does_not_move(root, monkeypatch):
    dataset = spliced(root, signs=(2, 2), rest=0, frames=(4, 4))
    whole = type(dataset.dataset).__getitem__

    def without_a_hand(self, index):
        results = whole(self, index)
        if index == 0:
            results['keypoints'][-1, 16:37] = *(-x for x in FRAME), 0
        return results

    monkeypatch.setattr(type(dataset.dataset), '__getitem__', without_a_hand)
    points, sample = next(
        pair
        for pair in (item(dataset, 0, seed) for seed in range(9))
        if len(parts_of(pair[0])) == 2
    )
    joint, x0 = points[8:12, 16:37], sample.crop_box[0]
    assert (joint[:2, :, 2] == 0).all() and (joint[2:, :, 2] > 0).all()
    np.testing.assert_array_equal(joint[2:], np.repeat(points[12:13, 16:37], 2, 0))
    np.testing.assert_array_equal(joint[:2], np.repeat(points[7:8, 16:37], 2, 0))
    assert (joint[:2, :, 0] < x0).all()


def test_points_outside_of_their_box_stay_outside(root, monkeypatch):
    """Where no heatmap shows them, be the other box smaller or larger."""
    dataset = spliced(root, signs=(2, 2), rest=0)
    whole = type(dataset.dataset).__getitem__

    def lost(self, index):
        results = whole(self, index)
        x0, y0, *_ = results['crop_box']
        results['keypoints'][:, 5] = x0 - 3, y0 - 3, 0
        return results

    monkeypatch.setattr(type(dataset.dataset), '__getitem__', lost)
    for index in range(4):
        for seed in range(4):
            points, sample = item(dataset, index, seed)
            assert (points[:, 5, :2] < np.array(sample.crop_box[:2]) - 1).all()


def test_hands_rest_where_there_are_idle_clips_of_the_signer(root):
    dataset = spliced(root, signs=(2, 2), rest=1.0, frames=(3, 5))
    lengths = set()
    for seed in range(12):
        points, sample = item(dataset, 0, seed)
        (first, _), (idle, frames), (second, _) = parts_of(points)
        assert (first, idle) == ('a0', 'a4') and second[0] == 'a'
        assert sample.glosses == ['RAIN', CLIPS[second][1]]
        assert np.diff(frames).max() <= 1  # a stretch of it
        lengths.add(len(points) - 8 - CLIPS[second][2] - 2 * 3)
        points, _ = item(dataset, 5, seed)
        assert {name for name, _ in parts_of(points)} <= {'b0', 'b1'}
    assert lengths == {3, 4, 5}


def test_sentences_and_idle_clips_stay_as_they_are(root):
    dataset = spliced(root, signs=(5, 5))
    for name in ('a4', 'b2'):
        index = NAMES.index(name)
        points, sample = item(dataset, index)
        stored = clip_points(index, CLIPS[name][2]).astype(np.float16)
        np.testing.assert_array_equal(points, stored)
        assert sample.glosses == CLIPS[name][1].split()


def test_a_grammar_is_obeyed(root, tmp_path):
    path = tmp_path / 'grammar.txt'
    sentences = ['RAIN SUN', 'RAIN WIND SUN', 'WIND RAIN RAIN', 'RAIN SNOW', 'SUN FOG']
    path.write_text('\n'.join(['', *sentences, '']))
    dataset = spliced(root, grammar=str(path), rest=0.5)
    found = {
        ' '.join(item(dataset, index, seed)[1].glosses)
        for seed in range(12)
        for index in (0, 1, 2)
    }
    # FOG is nobody's, SNOW is b's: what begins with SUN stays alone.
    assert found == {*sentences[:3], 'SUN'}
    assert item(dataset, 5)[1].glosses == ['RAIN', 'SNOW']
    path.write_text('\n \n')
    with pytest.raises(DataError, match=str(path)):
        spliced(root, grammar=str(path))


def test_nothing_is_added_beyond_the_longest(root):
    dataset = spliced(root, signs=(8, 8), max_length=60)
    lengths = [len(item(dataset, 0, seed)[0]) for seed in range(10)]
    assert 36 < max(lengths) <= 60
    short = spliced(root, signs=(8, 8), max_length=4)
    points, sample = item(short, 0)
    assert len(points) == 8 and sample.glosses == ['RAIN']


def test_the_seed_decides(root):
    dataset = spliced(root, rest=0.5)
    one, again = (item(dataset, 0, 3)[0] for _ in range(2))
    np.testing.assert_array_equal(one, again)
    others = [len(item(dataset, 0, seed)[0]) for seed in range(6)]
    assert len({*others}) > 1


def test_frames_are_joined_too(root):
    steps = dict(type='DecodeClip'), dict(type='ClipResize', size=16)
    config = corpus(root, steps=steps)
    config['pipeline'][0] = dict(type='LoadClip', keypoints=False)
    behind = dict(type='HoldLast', frames=4), *PACK
    dataset = SplicedSigns(config, behind, signs=(2, 2), rest=0, frames=(4, 4))
    np.random.seed(0)
    packed = dataset[0]
    video = packed['inputs']['video'].permute(1, 2, 3, 0).numpy()
    length = packed['data_samples'].length
    assert len(video) == length and list(packed['inputs']) == ['video']
    count = length - 8 - 4 - 4
    assert count in (8, 12, 16)
    for frame in video[7:10]:
        np.testing.assert_array_equal(frame, video[7])
    for frame in video[10:12]:
        np.testing.assert_array_equal(frame, video[12])
    for frame in video[-5:]:
        np.testing.assert_array_equal(frame, video[-1])
    assert (video[7] != video[12]).any()


def test_batches_and_what_hooks_ask_for(root):
    dataset = spliced(root)
    sampler = LengthBucketSampler(dataset, batch_size=4, seed=0)
    loader = DataLoader(
        dataset, 4, sampler=sampler, num_workers=1, collate_fn=pseudo_collate
    )
    samples = [sample for batch in loader for sample in batch['data_samples']]
    assert {sample.clip_id for sample in samples} == {*CLIPS}
    assert dataset.metainfo['dataset'] == 'sign_folder'
    assert dataset.corpus_files() == [str(root / 'k.safetensors')]


def test_hooks_see_the_sampling_before_the_splice(root):
    def run(**sampling) -> None:
        config = corpus(root)
        config['pipeline'][1] |= sampling
        dataset = SplicedSigns(config, PACK)
        runner = SimpleNamespace(
            model=SimpleNamespace(output_stride=4),
            train_dataloader=SimpleNamespace(dataset=dataset),
        )
        OutputLengthHook(max_share=0).before_train(runner)

    run()
    # Three glosses in two steps.
    with pytest.raises(ConfigError, match='b2'):
        run(max_length=8)


def test_only_training_clips_are_spliced(root):
    for settings in (dict(split='dev'), dict(split='test'), dict(test_mode=True)):
        with pytest.raises(ConfigError, match='SplicedSigns is for training'):
            SplicedSigns(corpus(root, **settings), PACK)
    several = dict(type='ConcatDataset', datasets=[corpus(root)])
    with pytest.raises(ConfigError, match='one corpus, not ConcatDataset'):
        SplicedSigns(several, PACK)
    with pytest.raises(ConfigError, match='PackClip'):
        SplicedSigns(corpus(root, steps=[CROP, *PACK]), PACK)


@pytest.mark.parametrize(
    'wrong',
    [
        dict(signs=(0, 2)),
        dict(signs=(3, 2)),
        dict(frames=(0, 2)),
        dict(frames=(3, 2)),
        dict(rest=1.1),
    ],
)
def test_impossible_settings(root, wrong):
    with pytest.raises(ConfigError, match=f'SplicedSigns.*{next(iter(wrong))}'):
        spliced(root, **wrong)


def test_signers_without_names_are_told_of(root, tmp_path, monkeypatch):
    rows = ['id,video,glosses,split', 'a0,a0,RAIN,train', 'b1,b1,SNOW,train']
    (tmp_path / 'manifest.csv').write_text('\n'.join(rows))
    told = []
    monkeypatch.setattr('mmsign.datasets.spliced_signs.warn', told.append)
    files = str(root / 'k.safetensors')
    SplicedSigns(corpus(tmp_path, keypoint_file=files), PACK)
    spliced(root)
    assert len(told) == 1 and 'signer' in told[0]
