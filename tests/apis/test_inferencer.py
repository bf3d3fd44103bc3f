from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from tiny_network import keypoints_of, write_network
from tiny_signing import habits, signing
from tiny_video import SIZE, damage, rotate_by_90, set_durations, write_video

from mmsign.apis import ClipError, SignInferencer
from mmsign.apis.stream_decoder import StreamDecoder
from mmsign.compat import CheckpointError
from mmsign.datasets import FrameReadError, Phoenix2014TDataset, open_frames
from mmsign.datasets.keypoint_file import write_keypoints
from mmsign.launch import LaunchError


@pytest.fixture
def make_video(tmp_path):
    def make(count: int, fps: float = 25.0, size=SIZE):
        path = tmp_path / 'made.mp4'
        write_video(path, count, fps, size)
        return path

    return make


# What it returns --------------------------------------------------------------


def test_a_clip_of_a_corpus_reads_as_in_testing(phoenix_tree, tmp_path):
    """The same pipeline, the same glosses, scores and spans as tools/test.py."""
    config, checkpoint = write_network(tmp_path)
    cfg = Config.fromfile(config)
    cfg.corpus.frame_size = (20, 24)
    inferencer = SignInferencer(cfg, checkpoint, device='cpu')
    dataset = Phoenix2014TDataset(
        str(phoenix_tree),
        'test',
        keypoint_file='keypoints.safetensors',
        pipeline=cfg.test_dataloader.dataset.pipeline,
        test_mode=True,
    )
    for index, length in enumerate((7, 12)):
        model = inferencer.network.model
        with torch.inference_mode():
            sample = model.test_step(pseudo_collate([dataset[index]]))[0]
        info = dataset.get_data_info(index)
        result = inferencer(info['frames'], info['keypoint_file'])
        assert result.num_frames == length and result.notices == ()
        assert set(result.outputs) == {'video', 'keypoint', 'joint', 'average'}
        for name, expected in sample.predictions.items():
            found = result.outputs[name]
            assert tuple(g.gloss for g in found.glosses) == expected.glosses
            assert found.score == expected.score
            assert found.n_best[0] == expected.n_best[0]
            spans = [(g.start * 25, g.end * 25) for g in found.glosses]
            np.testing.assert_allclose(spans, expected.spans, atol=1e-2)
        assert result.glosses == result.outputs['average'].glosses


def test_the_record_is_plain(inferencer, video):
    result = inferencer(video, keypoints_of(24))
    assert result.clip == str(video) and result.duration == pytest.approx(0.96)
    assert len(result.gloss_sequence) >= 1
    for gloss in result.glosses:
        assert 0 <= gloss.start < gloss.end <= result.duration
        assert 0 < gloss.confidence <= 1
    scores = [score for _, score in result.n_best]
    assert len(scores) == 5 and scores == sorted(scores, reverse=True)
    assert set(result.timing) == {'load', 'network', 'decode'}
    record = json.loads(json.dumps(result.to_dict()))
    assert record['glosses'][0]['gloss'] == result.gloss_sequence[0]


def test_frames_from_everywhere(inferencer, tmp_path, video):
    pose = keypoints_of(24)
    capture = cv2.VideoCapture(str(video))
    frames = np.stack([capture.read()[1] for _ in range(24)])
    folder = tmp_path / 'frames'
    folder.mkdir()
    for index, frame in enumerate(frames):
        cv2.imwrite(str(folder / f'{index}.png'), frame)
    results = inferencer([video, folder, frames], [pose] * 3)
    assert [r.clip for r in results] == [str(video), str(folder), 'clip-2']
    assert results[0].outputs == results[1].outputs == results[2].outputs


def test_keypoints_from_everywhere(inferencer, tmp_path, video):
    pose = keypoints_of(24).astype(np.float16).astype(np.float32)
    many = tmp_path / 'many.safetensors'
    write_keypoints(many, {'clip': pose, 'other': pose[:3]}, frame_size=SIZE)
    one = tmp_path / 'one.safetensors'
    write_keypoints(one, {'named as it likes': pose})
    mmpose = tmp_path / 'clip.json'
    frames = [
        dict(
            instances=[
                dict(keypoints=p[:, :2].tolist(), keypoint_scores=p[:, 2].tolist())
            ]
        )
        for p in pose
    ]
    mmpose.write_text(json.dumps(frames))
    expected = inferencer(video, pose).outputs
    for given in (many, one, mmpose, str(mmpose)):
        assert inferencer(video, given).outputs == expected, given


def test_an_estimator_sees_each_frame_once(network_files, make_video):
    pose, seen = keypoints_of(12), []

    def estimator(frames):
        seen.extend(frame.shape for frame in frames)
        return pose[: len(seen)]

    inferencer = SignInferencer(*network_files, device='cpu', estimator=estimator)
    path = make_video(12, fps=12.5)
    result = inferencer(path)
    assert seen == [(48, 64, 3)] * 12 and 'keypoints' in result.timing
    assert result.outputs == inferencer(path, pose).outputs
    inferencer.estimator = lambda frames: pose[:3]
    with pytest.raises(ClipError, match='keypoints of 3 frames for 12'):
        inferencer(path)


def test_a_batch_of_equal_lengths_is_each_on_its_own(inferencer, video):
    poses = [keypoints_of(24, seed=seed) for seed in range(3)]
    together = inferencer([video] * 3, poses, batch_size=3)
    for pose, result in zip(poses, together):
        alone = inferencer(video, pose)
        assert result.gloss_sequence == alone.gloss_sequence
        assert result.score == pytest.approx(alone.score, rel=1e-4)


@pytest.mark.parametrize('stream', ['video', 'keypoint'])
def test_a_single_stream(stream, tmp_path, video):
    inferencer = SignInferencer(*write_network(tmp_path, [stream]), device='cpu')
    pose = keypoints_of(24) if stream == 'keypoint' else None
    result = inferencer(video, pose)
    assert set(result.outputs) == {stream, 'average'}
    if stream == 'keypoint':
        with pytest.raises(ClipError, match='the network looks at keypoints'):
            inferencer(video)


def test_sentences_of_a_network_that_translates(translator_files, inferencer, video):
    translator = SignInferencer(*translator_files, device='cpu')
    plain = inferencer(video, keypoints_of(24))
    result = translator(video, keypoints_of(24))
    assert set(result.translations) == {'video', 'joint', 'ensemble'}
    assert result.sentence == result.translations['ensemble'] != ''
    assert (plain.sentence, plain.translations) == (None, {})
    assert result.gloss_sequence == plain.gloss_sequence


def test_a_network_trained_on_features_reads_clips(translator_files, inferencer, video):
    """The pipeline of frames stands beside that of features in such configs."""
    config, checkpoint = translator_files
    cfg = Config.fromfile(config)
    expected = SignInferencer(cfg, checkpoint, device='cpu')(video, keypoints_of(24))
    dataset = cfg.test_dataloader.dataset
    cfg.test_pipeline = dataset.pipeline
    dataset.pipeline = [dict(type='LoadFeatures', feature_file='nowhere')]
    found = SignInferencer(cfg, checkpoint, device='cpu')(video, keypoints_of(24))
    assert found.translations == expected.translations
    cfg.pop('test_pipeline')
    with pytest.raises(LaunchError, match='nor a test_pipeline beside one that reads'):
        SignInferencer(cfg, checkpoint, device='cpu')


def test_fast_is_nearly_the_same(network_files, inferencer, video):
    fast = SignInferencer(*network_files, device='cpu', fast=True)
    pose = keypoints_of(24)
    ours, theirs = fast(video, pose), inferencer(video, pose)
    assert not any('bn' in key for key in fast.network.model.state_dict())
    assert ours.outputs.keys() == theirs.outputs.keys()
    assert ours.score == pytest.approx(theirs.score, rel=0.2)


# Unusual clips ----------------------------------------------------------------


def test_another_frame_rate(inferencer, make_video):
    pose = keypoints_of(48)
    fast = inferencer(make_video(48, fps=50.0), pose)
    assert fast.notices == (
        '50 frames/s, the network was trained on 25: resampled from 48 to 24 frames',
    )
    assert fast.duration == pytest.approx(0.96)
    capture = cv2.VideoCapture(fast.clip)
    frames = np.stack([capture.read()[1] for _ in range(48)])[::2]
    assert fast.outputs == inferencer(frames, pose[::2]).outputs
    # The same file, when the user knows better than the container.
    assert inferencer(fast.clip, pose, fps=25.0).notices == ()


def test_a_variable_frame_rate(inferencer, make_video):
    path = make_video(20)
    set_durations(path, [1] * 10 + [3] * 5 + [1] * 5)
    result = inferencer(path, keypoints_of(20))
    assert result.notices == (
        'frames at uneven times (about 25 frames/s), the network was trained on 25: '
        'resampled from 20 to 30 frames',
    )
    assert result.num_frames == 20 and result.duration == pytest.approx(1.2)


def test_a_rotated_video_is_turned_upright(inferencer, make_video):
    path = make_video(8)
    upright = open_frames(str(path)).read([0])[0]
    turned = path.with_name('turned.mp4')
    turned.write_bytes(path.read_bytes())
    rotate_by_90(turned)
    job = inferencer.preprocess(turned, keypoints_of(8))
    assert job.clip.source.frame_size == SIZE[::-1]
    seen = job.clip.source.read([0])[0]
    np.testing.assert_array_equal(seen, cv2.rotate(upright, cv2.ROTATE_90_CLOCKWISE))


def test_a_video_damaged_in_the_middle(inferencer, make_video):
    path = make_video(40)
    damage(path)
    count = len(open_frames(str(path)))
    result = inferencer(path, keypoints_of(count))
    assert 4 < result.num_frames == count < 40
    assert result.notices == (
        f'40 frames announced, {count} can be decoded: the file is damaged or '
        f'truncated after {count / 25:.2f} s; what follows is not read',
    )


def test_a_truncated_video_and_one_that_is_none(inferencer, make_video, tmp_path):
    path = make_video(8)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(FrameReadError, match=r'made\.mp4: OpenCV cannot open'):
        inferencer(path, keypoints_of(8))
    with pytest.raises(FrameReadError, match=r'no video file .*gone\.mp4'):
        inferencer(tmp_path / 'gone.mp4', keypoints_of(8))


def test_a_damaged_picture_in_a_folder(inferencer, tmp_path):
    frames = tmp_path / 'frames'
    frames.mkdir()
    for index in range(8):
        cv2.imwrite(str(frames / f'{index}.png'), np.zeros((48, 64, 3), np.uint8))
    (frames / '5.png').write_bytes((frames / '5.png').read_bytes()[:40])
    with pytest.raises(FrameReadError, match=r'5\.png: a truncated or corrupt image'):
        inferencer(frames, keypoints_of(8))


def test_one_frame(inferencer, make_video):
    result = inferencer(make_video(1), keypoints_of(1))
    assert result.num_frames == 1 and len(result.glosses) <= 1
    assert result.notices[0].startswith('only 1 frame: the last is repeated')


def test_nobody_in_the_picture(inferencer, video):
    result = inferencer(video, keypoints_of(24, score=0.1))
    assert result.glosses == () and result.outputs == {}
    assert result.notices[0].startswith('no person found: the keypoints of the upper')
    some = keypoints_of(24)
    some[: 24 - 6, :, 2] = 0
    result = inferencer(video, some)
    assert result.outputs
    assert result.notices == ('a person was found in only 25% of the frames',)


def test_frames_of_any_resolution_are_decoded_a_few_at_a_time(
    inferencer, make_video, monkeypatch
):
    path, pose = make_video(16, size=(256, 192)), keypoints_of(16)
    whole = inferencer(path, pose)
    monkeypatch.setattr('mmsign.apis.preparation.CHUNK_BYTES', 5 * 256 * 192 * 3)
    assert inferencer(path, pose).outputs == whole.outputs


def test_a_clip_longer_than_the_network_takes(inferencer):
    frames = np.random.default_rng(0).integers(0, 256, (150, 48, 64, 3), np.uint8)
    result = inferencer(frames, keypoints_of(150))
    assert result.notices == (
        '150 frames, the network takes 64: read in windows of 64, one every 32 frames',
    )
    assert result.num_frames == 150 and len(result.glosses) > 5
    assert result.glosses[0].start < 1 and 5 < result.glosses[-1].end <= 6
    assert set(result.outputs) == {'video', 'keypoint', 'joint', 'average'}


def test_a_clip_with_pauses_is_read_by_utterances(network_files, inferencer):
    config, checkpoint = network_files
    cfg = Config.fromfile(config)
    cfg.corpus.signing = habits(longest=40).to_dict()
    paused = SignInferencer(cfg, checkpoint, device='cpu')
    poses = signing('r' * 5 + 'm' * 20 + 'r' * 10 + 'm' * 16 + 'r' * 3)
    frames = np.random.default_rng(0).integers(0, 256, (54, 48, 64, 3), np.uint8)
    result = paused(frames, poses)
    assert result.notices == (
        '54 frames, the longest training clip has 40: taken apart at the pauses, 2 '
        'utterances',
    )
    expected = []
    for first, end in ((3, 27), (33, 53)):
        for gloss in inferencer(frames[first:end], poses[first:end]).glosses:
            expected.append((gloss.gloss, round(gloss.start + first / 25, 4)))
    assert [(gloss.gloss, gloss.start) for gloss in result.glosses] == expected
    assert result.n_best == ((result.gloss_sequence, result.score),)
    assert set(result.outputs) == {'video', 'keypoint', 'joint', 'average'}
    # As long as a training clip, or without a pause: at once.
    for given in (slice(0, 40), slice(0, 30)):
        alone = paused(frames[given], poses[given])
        assert alone == replace(
            inferencer(frames[given], poses[given]), timing=alone.timing
        )
    still = signing('r' * 400)
    result = paused(np.zeros((400, 48, 64, 3), np.uint8), still)
    assert result.glosses == () and result.notices[-1].startswith('the hands rest from')


def test_a_very_long_clip_takes_no_more_memory(inferencer, monkeypatch):
    """Nothing is kept of what was read but the glosses."""
    held = []

    class Decoder(StreamDecoder):
        def push(self, piece):
            found = super().push(piece)
            held.append(len(self.ctc._waiting) if self.ctc._waiting is not None else 0)
            return found

    monkeypatch.setattr('mmsign.apis.long_clips.StreamDecoder', Decoder)
    monkeypatch.setattr('mmsign.apis.long_clips.LONG_STEPS', 12)
    frames = np.random.default_rng(0).integers(0, 256, (400, 48, 64, 3), np.uint8)
    result = inferencer(frames, keypoints_of(400))
    assert len(held) > 4 * 8 and max(held) <= 12 + 16
    assert result.glosses[-1].end <= 16


def test_heatmaps_of_another_resolution_are_as_in_training(inferencer, make_video):
    pose = keypoints_of(8)
    job = inferencer.preprocess(make_video(8), pose)
    large = np.array(pose)
    large[..., :2] = (pose[..., :2] + 0.5) * 4 - 0.5
    other = inferencer.preprocess(make_video(8, size=(256, 192)), large)
    assert other.prepared.sample.crop_box == job.prepared.sample.crop_box
    torch.testing.assert_close(
        other.prepared.inputs['keypoints'], job.prepared.inputs['keypoints']
    )


@pytest.mark.parametrize(
    ('keypoints', 'message'),
    [
        (keypoints_of(23), '24 frames, but 23 frames of keypoints in the array'),
        (keypoints_of(24)[:, :17], r'keypoints of shape \(24, 17, 3\)'),
        (np.full((24, 133, 3), np.nan), 'keypoint 0 of frame 0 is not finite'),
        ('poses.txt', r'poses\.txt is neither \.safetensors'),
        ([keypoints_of(24)] * 2, '1 clips, but keypoints of 2'),
        (None, 'give a file or an array of them, or an estimator'),
    ],
)
def test_keypoints_that_do_not_fit(inferencer, video, keypoints, message):
    with pytest.raises(ClipError, match=message):
        inferencer(video, keypoints)


def test_keypoints_of_another_resolution(inferencer, video, tmp_path):
    path = tmp_path / 'k.safetensors'
    write_keypoints(path, {'clip': keypoints_of(24)}, frame_size=(640, 480))
    with pytest.raises(ValueError, match='64×48 pixels, but .* frames of 640×480'):
        inferencer(video, path)


@pytest.mark.parametrize(
    ('clip', 'message'),
    [
        (np.zeros((8, 48, 64), np.uint8), r'shape \(8, 48, 64\)'),
        (np.zeros((8, 48, 64, 3)), 'dtype float64'),
        (np.zeros((0, 48, 64, 3), np.uint8), 'no frame can be decoded'),
    ],
)
def test_arrays_that_are_no_clips(inferencer, clip, message):
    with pytest.raises(ClipError, match=message):
        inferencer(clip, keypoints_of(8))


def test_errors_can_be_recorded(inferencer, video, tmp_path):
    seen = []
    results = inferencer(
        [tmp_path / 'gone.mp4', video],
        [keypoints_of(24)] * 2,
        batch_size=2,
        record_errors=True,
        progress=seen.append,
    )
    assert 'no video file' in results[0].error and results[0].glosses == ()
    assert results[1].error is None and results[1].outputs
    assert seen == results


# Networks that are none ---------------------------------------------------------


def test_a_checkpoint_of_another_network(network_files, tmp_path):
    config, _ = network_files
    _, checkpoint = write_network(tmp_path, ['video'])
    with pytest.raises(CheckpointError, match=r'tiny\.pth: .* does not fit the netw'):
        SignInferencer(config, checkpoint)


def test_configs_that_are_none(network_files, tmp_path):
    config, checkpoint = network_files
    with pytest.raises(LaunchError, match='does not exist'):
        SignInferencer(tmp_path / 'gone.py', checkpoint)
    with pytest.raises(FileNotFoundError, match=r'gone\.pth does not exist'):
        SignInferencer(config, tmp_path / 'gone.pth')
    cfg = Config.fromfile(config)
    cfg.test_dataloader.dataset.pipeline = []
    with pytest.raises(LaunchError, match=r'no test_dataloader\.dataset\.pipeline'):
        SignInferencer(cfg, checkpoint)


def test_a_network_of_video_alone_needs_no_keypoints(tmp_path, video):
    """Though the pipeline that it shares with others would read them."""
    config, checkpoint = write_network(tmp_path, ['video'])
    expected = SignInferencer(config, checkpoint, device='cpu')(video)
    cfg = Config.fromfile(config)
    cfg.test_dataloader.dataset.pipeline[0].keypoints = True
    found = SignInferencer(cfg, checkpoint, device='cpu')(video)
    assert found.outputs == expected.outputs
