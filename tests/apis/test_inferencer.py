from __future__ import annotations

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from tiny_frames import write_frames
from tiny_network import keypoints_of, random_frames, write_network
from tiny_signing import signing, signing_statistics
from tiny_video import set_durations

from mmsign import compat
from mmsign.apis import SignInferencer, open_network, write_bundle
from mmsign.apis.windows import StreamFrame, WindowedNetwork
from mmsign.datasets import Phoenix2014TDataset, SignFolderDataset, write_keypoints
from mmsign.datasets.io.packs import pack_clip
from mmsign.decoding import CTCBeamSearch, IncrementalCTC
from mmsign.errors import ClipError, ConfigError, DataError, FrameReadError, MMSignError
from mmsign.keypoints import ESTIMATORS_KEY, channels_of
from mmsign.registry import MODELS
from mmsign.structures import SignReading

# What it returns --------------------------------------------------------------


@pytest.mark.slow
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
        check_same(result, sample)
        assert result.glosses == result.outputs['average'].glosses


@pytest.mark.slow
@pytest.mark.parametrize('rate', [12.5, 25.0, 50.0, 'uneven'])
def test_a_video_of_another_rate_reads_as_in_testing(rate, make_video, tmp_path):
    config, checkpoint = write_network(tmp_path)
    cfg = Config.fromfile(config)
    cfg.corpus.frame_size = (64, 48)
    inferencer = SignInferencer(cfg, checkpoint, device='cpu')
    path = make_video(30, fps=25.0 if rate == 'uneven' else rate)
    if rate == 'uneven':
        set_durations(path, [1] * 10 + [2] * 10 + [1] * 10)
    write_keypoints(tmp_path / 'k.safetensors', dict(made=keypoints_of(30)))
    manifest = 'id,video,glosses,split\nmade,made.mp4,A,test\n'
    (tmp_path / 'manifest.csv').write_text(manifest)
    dataset = SignFolderDataset(
        tmp_path,
        'test',
        keypoint_file='k.safetensors',
        fps=25.0,
        pipeline=cfg.test_dataloader.dataset.pipeline,
        test_mode=True,
    )
    with torch.inference_mode():
        batch = pseudo_collate([dataset[0]])
        sample = inferencer.network.model.test_step(batch)[0]
    result = inferencer(path, tmp_path / 'k.safetensors')
    seen = {12.5: 60, 25.0: 30, 50.0: 15, 'uneven': 40}[rate]
    assert sample.num_frames == seen and len(result.notices) == (rate != 25.0)
    check_same(result, sample)


def test_frames_that_were_shrunk_are_read_as_in_testing(inferencer, tmp_path):
    """Keypoints stay in pixels of the frames that they were made from."""
    write_frames(tmp_path / 'large', 24, (64, 48))
    (tmp_path / 'made').mkdir()
    for number, image in enumerate(pack_clip(str(tmp_path / 'large'), 24, 90)):
        (tmp_path / 'made' / f'{number}.jpg').write_bytes(image)
    file = tmp_path / 'k.safetensors'
    write_keypoints(file, dict(made=keypoints_of(24)), frame_size=(64, 48))
    (tmp_path / 'manifest.csv').write_text('id,video,glosses,split\nmade,made,A,test\n')
    dataset = SignFolderDataset(
        tmp_path,
        'test',
        keypoint_file='k.safetensors',
        pipeline=inferencer.network.spec.pipeline,
        test_mode=True,
    )
    with torch.inference_mode():
        batch = pseudo_collate([dataset[0]])
        sample = inferencer.network.model.test_step(batch)[0]
    check_same(inferencer(tmp_path / 'made', file), sample)


def check_same(result, sample) -> None:
    """What the inferencer and the test runner say of a clip of 25 frames/s."""
    for name, expected in sample.predictions.items():
        found = result.outputs[name]
        assert tuple(gloss.symbol for gloss in found.glosses) == expected.glosses
        assert found.score == expected.score and found.n_best[0] == expected.n_best[0]
        spans = [(gloss.start * 25, gloss.end * 25) for gloss in found.glosses]
        np.testing.assert_allclose(spans, expected.spans, atol=1e-2)


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


def test_single_signs(inferencer, video, make_video):
    poses = [keypoints_of(24), keypoints_of(16, seed=1)]
    clips = [video, make_video(16)]
    results = inferencer(clips, poses, single_signs=3, batch_size=2)
    assert inferencer(video, poses[0]).single_sign is None
    alone = inferencer(video, poses[0], single_signs=9).single_sign
    assert len(alone.n_best) == 4  # all that there are
    for result in results:
        sign = result.single_sign
        confidences = [p for _, p in sign.n_best]
        assert len(confidences) == 3
        assert confidences == sorted(confidences, reverse=True)
        assert sign.accepted == (confidences[0] > sign.no_sign)
        record = json.loads(json.dumps(result.to_dict()))['single_sign']
        assert record['n_best'][0]['gloss'] == sign.n_best[0][0]
        assert record['none_of_these'] is not sign.accepted
    assert sum(p for _, p in alone.n_best) + alone.no_sign == pytest.approx(1)
    with pytest.raises(ConfigError, match='single_signs'):
        inferencer(video, poses[0], single_signs=-1)


def test_single_signs_where_there_are_none(inferencer, video, monkeypatch):
    nobody = inferencer(video, keypoints_of(24, score=0.1), single_signs=2)
    assert nobody.single_sign == SignReading((), 1.0, accepted=False)
    monkeypatch.setattr(inferencer.network.pipeline, 'max_length', 16)
    long = inferencer(video, keypoints_of(24), single_signs=2)
    assert long.single_sign is None and 'single sign' in long.notices[0]


@pytest.mark.slow
def test_a_calibration_changes_confidences_alone(
    calibrated, inferencer, video, tmp_path
):
    pose = keypoints_of(24)
    plain = inferencer(video, pose, single_signs=2)
    network = SignInferencer(*calibrated, device='cpu')
    found = network(video, pose, single_signs=2)
    assert found.calibrated and not plain.calibrated
    assert found.gloss_sequence == plain.gloss_sequence and found.score == plain.score
    calibration = network.network.calibrations['average']
    for ours, theirs in zip(found.glosses, plain.glosses, strict=True):
        mapped = calibration.glosses(theirs.confidence)
        assert ours.confidence == pytest.approx(mapped, abs=1e-3)
        assert replace(ours, score=theirs.score) == theirs
    # Its other outputs have none.
    assert found.outputs['video'] == plain.outputs['video']
    # So high a temperature: nothing is believed.
    assert found.single_sign.n_best[0][0] == plain.single_sign.n_best[0][0]
    assert found.single_sign.n_best[0][1] < 0.9 and found.single_sign.gloss is None
    # A bundle has it, too, and so has a long clip.
    write_bundle(tmp_path / 'c.bundle', network.network)
    other = SignInferencer(bundle=tmp_path / 'c.bundle', device='cpu')
    again = other(video, pose, single_signs=2)
    assert again.calibrated and again.outputs == found.outputs
    assert again.single_sign == found.single_sign
    other.network.pipeline.max_length = 16
    (*_, last) = other(video, pose).glosses
    assert last.confidence < 0.25 < plain.glosses[-1].confidence


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


@pytest.mark.slow
def test_sentences_of_a_network_that_translates(translator_files, inferencer, video):
    translator = SignInferencer(*translator_files, device='cpu')
    plain = inferencer(video, keypoints_of(24))
    result = translator(video, keypoints_of(24))
    assert set(result.translations) == {'video', 'joint', 'ensemble'}
    assert result.sentence == result.translations['ensemble'] != ''
    assert (plain.sentence, plain.translations) == (None, {})
    assert result.gloss_sequence == plain.gloss_sequence


@pytest.mark.slow
def test_fast_is_nearly_the_same(network_files, inferencer, video):
    fast = SignInferencer(*network_files, device='cpu', fast=True)
    pose = keypoints_of(24)
    ours, theirs = fast(video, pose), inferencer(video, pose)
    assert not any('bn' in key for key in fast.network.model.state_dict())
    assert ours.outputs.keys() == theirs.outputs.keys()
    assert ours.score == pytest.approx(theirs.score, rel=0.2)


def test_keypoints_are_found_by_the_longest_end_of_the_path(
    inferencer, video, tmp_path
):
    poses = {'a': keypoints_of(24), 'sub/a': keypoints_of(24, seed=1)}
    for name in ('sub/a.mp4', 'a.mp4', 'a.2024.mp4'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(video, tmp_path / name)
    file = tmp_path / 'k.safetensors'
    write_keypoints(file, poses)
    clips = [tmp_path / 'a.mp4', tmp_path / 'sub' / 'a.mp4']
    found = inferencer(clips, file)
    for result, (name, pose) in zip(found, poses.items()):
        assert result.outputs == inferencer(video, pose.astype(np.float16)).outputs
        assert inferencer(video, f'{file}@{name}').outputs == result.outputs
    with pytest.raises(DataError, match='a.2024'):
        inferencer(tmp_path / 'a.2024.mp4', file)


@pytest.mark.parametrize('listed', [True, False])
def test_the_keypoints_of_one_clip_are_not_given_to_two(
    inferencer, make_video, tmp_path, listed
):
    clips = [make_video(24), make_video(24, name='b.mp4')]
    one, mmpose = tmp_path / 'one.safetensors', tmp_path / 'one.json'
    write_keypoints(one, {'any': keypoints_of(24)})
    write_mmpose(mmpose, keypoints_of(24))
    for file in (one, mmpose):
        with pytest.raises(MMSignError, match=file.name):
            inferencer(clips, [file, file] if listed else file)
        assert inferencer(clips[0], file).outputs
    assert len(inferencer([clips[0]] * 2, [mmpose] * 2)) == 2


def write_mmpose(path, pose) -> None:
    frames = [
        dict(
            instances=[
                dict(keypoints=p[:, :2].tolist(), keypoint_scores=p[:, 2].tolist())
            ]
        )
        for p in pose
    ]
    path.write_text(json.dumps(frames))


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


def test_a_picture_that_stays_the_same(inferencer):
    frames, told = random_frames(24), 'the picture stays the same'
    frames[:] = frames[:1]
    frames[::2] ^= 1  # noise
    (notice,) = inferencer(frames, keypoints_of(24)).notices
    assert notice.startswith(told)
    frames[12:, 20:30, 30:40] = 255 - frames[12:, 20:30, 30:40]
    assert inferencer(frames, keypoints_of(24)).notices == ()


def test_no_hands_in_the_picture(inferencer, video):
    points = keypoints_of(24)
    points[:, 91:112, 2] = 0.1  # one is enough
    assert inferencer(video, points).notices == ()
    points[:, 112:, 2] = 0.1
    (notice,) = inferencer(video, points).notices
    assert notice.startswith('no hand found')


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        (lambda p: p / [64, 48, 1], 'shares of it'),
        (lambda p: p[..., [1, 0, 2]], 'the head is not above the shoulders'),
        (lambda p: p * [-1, 1, 1] + [64, 0, 0], 'mirrored keypoints'),
    ],
)
def test_keypoints_that_are_none_of_a_signer_are_told(inferencer, video, change, told):
    (notice,) = inferencer(video, change(keypoints_of(24))).notices
    assert told in notice


@pytest.mark.parametrize(
    ('keypoints', 'message'),
    [
        (keypoints_of(23), '24 frames, but 23 frames of keypoints in the array'),
        ([keypoints_of(24)] * 2, '1 clips, but keypoints of 2'),
        (None, 'clip.*looks at keypoints'),
    ],
)
def test_keypoints_that_do_not_fit(inferencer, video, keypoints, message):
    with pytest.raises(ClipError, match=message):
        inferencer(video, keypoints)


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


# Long clips ---------------------------------------------------------------------


@pytest.fixture(scope='module')
def paused(network_files):
    """Its training clips, of 40 frames at most, began and ended at rest."""
    config, checkpoint = network_files
    cfg = Config.fromfile(config)
    cfg.corpus.signing = signing_statistics(longest=40).to_dict()
    return SignInferencer(cfg, checkpoint, device='cpu')


WINDOWS = '{} frames, the network takes 64: read in windows of 64, one every 32 frames'
PAUSES = (
    '{} frames, the longest training clip has 40: taken apart at the pauses, 2 '
    'utterances'
)
TWO = 'r' * 5 + 'm' * 20 + 'r' * 10 + 'm' * 16 + 'r' * 3


@pytest.mark.parametrize(
    ('plan', 'unknown', 'known'),
    [
        (TWO, '', PAUSES),
        (TWO[:40], '', ''),  # as long as a training clip
        ('r' + 'm' * 63, '', ''),  # no pause
        ('r' + 'm' * 64, WINDOWS, WINDOWS),
        (TWO + 'm' * 11, WINDOWS, PAUSES.replace('2 utt', '3 utt')),
    ],
)
def test_which_clips_are_long(inferencer, paused, plan, unknown, known):
    for own, expected in ((inferencer, unknown), (paused, known)):
        job = own.preprocess(random_frames(len(plan)), signing(plan))
        assert job.is_long == bool(expected)
        assert job.clip.notices == [expected.format(len(plan))] * job.is_long


@pytest.mark.slow
def test_windows_are_decoded_as_if_at_once(network_files):
    """The best path of all windows' steps put together, without any cut."""
    inferencer = SignInferencer(*network_files, device='cpu', beam_width=1)
    frames, poses = random_frames(150), keypoints_of(150)[:, :79]
    result = inferencer(frames, poses)
    assert result.notices == (WINDOWS.format(150),) and result.num_frames == 150
    windows = WindowedNetwork(inferencer.network, 64, 32)
    size = frames.shape[2:0:-1]
    steps = [windows.step(StreamFrame(*both, size)) for both in zip(frames, poses)]
    steps = [one for one in (*steps, windows.end()) if one is not None]
    assert set(result.outputs) == {'video', 'keypoint', 'joint', 'average'}
    for name, found in result.outputs.items():
        log_probs = torch.cat([one.log_probs[name] for one in steps])
        ((best,),) = CTCBeamSearch(1)(log_probs[None])
        names = inferencer.network.model.vocab.decode(best.ids)
        assert [gloss.gloss for gloss in found.glosses] == names
        spans = [(gloss.start, gloss.end) for gloss in found.glosses]
        np.testing.assert_allclose(spans, np.multiply(best.spans, 4 / 25), atol=1e-4)
        assert found.score == pytest.approx(best.score, abs=1e-6)
        assert found.n_best == ((tuple(names), found.score),)


def test_a_clip_with_pauses_is_read_by_utterances(paused, inferencer):
    frames, poses = random_frames(54), signing(TWO)
    result = paused(frames, poses)
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
        assert alone.outputs == inferencer(frames[given], poses[given]).outputs
    result = paused(np.zeros((400, 48, 64, 3), np.uint8), signing('r' * 400))
    assert result.glosses == () and result.notices[-1].startswith('the hands rest from')


@pytest.mark.slow
def test_a_very_long_clip_takes_no_more_memory(inferencer, monkeypatch):
    """Nothing is kept of what was decoded but the glosses."""
    held = []

    class Decoder(IncrementalCTC):
        def step(self, log_probs):
            found = super().step(log_probs)
            held.append(len(self._waiting))
            return found

    monkeypatch.setattr('mmsign.apis.inferencer.IncrementalCTC', Decoder)
    monkeypatch.setattr('mmsign.apis.inferencer.LONG_STEPS', 12)
    result = inferencer(random_frames(400), keypoints_of(400))
    assert len(held) > 4 * 8 and max(held) <= 12
    assert result.glosses[-1].end <= 16


def test_a_long_clip_that_is_damaged_does_not_stop_the_others(inferencer, tmp_path):
    """Its frames are decoded while it is recognized."""
    folder = tmp_path / 'long'
    write_frames(folder, 70, (64, 48))
    damaged = folder / 'images0050.png'
    damaged.write_bytes(damaged.read_bytes()[:40])
    clips = [folder, random_frames(24), folder]
    poses = [keypoints_of(70), keypoints_of(24), keypoints_of(70)]
    for size in (1, 3):
        results = inferencer(clips, poses, batch_size=size, record_errors=True)
        assert [damaged.name in (result.error or '') for result in results] == [
            *(True, False, True)
        ]
        assert results[1].outputs
    with pytest.raises(FrameReadError, match=damaged.name):
        inferencer(clips, poses)


@pytest.mark.slow
def test_every_so_many_th_frame_is_as_a_lower_rate(tmp_path):
    """The dataset of the test says it; a bundle holds it; times are the source's."""
    files = write_network(tmp_path, ['keypoint'])
    frames, poses = random_frames(48), keypoints_of(48)
    cfg = Config.fromfile(files[0])

    def read(**network) -> dict:
        inferencer = SignInferencer(**network, device='cpu')
        result = inferencer(frames, poses, fps=25.0)
        assert result.duration == 48 / 25
        assert all(gloss.end <= 48 / 25 for gloss in result.glosses)
        return result.outputs

    cfg.corpus.fps = 12.5
    slower = read(config=cfg, checkpoint=files[1])
    cfg.corpus.fps = None
    assert read(config=cfg, checkpoint=files[1]) != slower
    cfg.test_dataloader.dataset.step = 2
    network = open_network(cfg, files[1], device='cpu')
    write_bundle(tmp_path / 'a.bundle', network)
    found = read(bundle=tmp_path / 'a.bundle')
    assert found == slower and found['average'].glosses


@pytest.mark.slow
def test_a_person_is_what_the_network_looks_at(tmp_path):
    """Tracks of hands and nose are enough for a network of these."""
    tracks = ['left_wrist', 'right_wrist', 'nose']
    channels, frames = list(channels_of(tracks)), random_frames(80)
    poses = keypoints_of(80)[:, :79]
    poses[:, np.setdiff1d(np.arange(79), channels)] = (-64, -48, 0)
    cfg = Config.fromfile(write_network(tmp_path, ['keypoint'])[0])
    del cfg.model.keypoint.backbone['in_channels']
    for chosen, found in ((None, False), (tracks, True), (['hands'], False)):
        cfg.model.data_preprocessor.keypoints = chosen
        state = dict(state_dict=MODELS.build(cfg.model).state_dict())
        torch.save(state, tmp_path / 'a.pth')
        inferencer = SignInferencer(cfg, tmp_path / 'a.pth', device='cpu')
        # At once, and in windows.
        results = inferencer([frames[:24], frames], [poses[:24], poses])
        assert [bool(result.outputs) for result in results] == [found, found]
        assert all('no person' in ' '.join(r.notices) for r in results) != found


def test_points_of_another_estimator_are_told(network_files, video, tmp_path):
    loaded = compat.load_checkpoint(network_files[1])
    loaded['meta'][ESTIMATORS_KEY] = ['hrnet']
    compat.write_checkpoint(loaded, tmp_path / 'known.pth')
    known = network_files[0], tmp_path / 'known.pth'
    bundle = tmp_path / 'known.bundle'
    write_bundle(bundle, open_network(*known, device='cpu'))
    inferencer = SignInferencer(bundle=bundle, device='cpu')
    assert inferencer.network.estimators == ('hrnet',)
    told = {}
    for name in ('hrnet', 'rtmw', None):
        path = tmp_path / f'{name}.safetensors'
        write_keypoints(path, dict(clip=keypoints_of(24)), estimator=name)
        told[name] = inferencer(video, path).notices
    assert told['hrnet'] == told[None] == ()
    assert (
        'keypoints of rtmw, the network was trained on those of hrnet'
        in (told['rtmw'][0])
    )

    class Estimator:
        name = 'mediapipe-holistic'

        def __call__(self, frames):
            return keypoints_of(len(list(frames)))

    inferencer.estimator = Estimator()
    assert 'keypoints of mediapipe-holistic' in inferencer(video).notices[0]
    Estimator.name = 'hrnet'
    assert inferencer(video).notices == ()
