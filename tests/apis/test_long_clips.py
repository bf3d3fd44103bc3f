from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from tiny_network import keypoints_of
from tiny_signing import habits, signing

from mmsign.apis import SignInferencer
from mmsign.apis.clips import open_clip
from mmsign.apis.long_clips import notice_if_long, read_long
from mmsign.apis.stream_decoder import StreamDecoder
from mmsign.apis.windows import WindowedNetwork
from mmsign.decoding import CTCBeamSearch


@pytest.fixture(scope='module')
def paused(network_files):
    """Its training clips, of 40 frames at most, began and ended at rest."""
    config, checkpoint = network_files
    cfg = Config.fromfile(config)
    cfg.corpus.signing = habits(longest=40).to_dict()
    return SignInferencer(cfg, checkpoint, device='cpu')


def random_frames(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 64, 3), np.uint8)


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
        ('r' * 65, WINDOWS, WINDOWS),
    ],
)
def test_which_clips_are_long(inferencer, paused, plan, unknown, known):
    for own, expected in ((inferencer, unknown), (paused, known)):
        given = own.network, own.pipeline, len(plan)
        found = notice_if_long(*given, signing(plan))
        assert found == expected.format(len(plan))
        # Nobody tells the pauses.
        assert notice_if_long(*given, None) == unknown.format(len(plan))


def test_windows_are_decoded_as_if_at_once(inferencer):
    """The best path of all windows' steps put together, without any cut."""
    network, pipeline = inferencer.network, inferencer.pipeline
    frames, poses = random_frames(150), keypoints_of(150)[:, :79]
    search = CTCBeamSearch(1)
    found = read_long(network, pipeline, search, open_clip(frames), poses)
    windows = WindowedNetwork(network, pipeline, 64, 32)
    pieces = [windows.push(*both) for both in zip(frames, poses)]
    pieces = [piece for piece in (*pieces, windows.finish()) if piece is not None]
    assert set(found) == {'video', 'keypoint', 'joint', 'average'}
    for name, reading in found.items():
        steps = torch.cat([piece.log_probs[name] for piece in pieces])
        ((best,),) = search(steps[None])
        names = network.model.vocab.decode(best.ids)
        assert [gloss.gloss for gloss in reading.glosses] == names
        spans = [(gloss.start, gloss.end) for gloss in reading.glosses]
        np.testing.assert_allclose(spans, np.multiply(best.spans, 4 / 25), atol=1e-4)
        assert reading.score == pytest.approx(best.score, abs=1e-6)
        assert reading.n_best == ((tuple(names), reading.score),)


def test_a_clip_longer_than_the_network_takes(inferencer):
    result = inferencer(random_frames(150), keypoints_of(150))
    assert result.notices == (WINDOWS.format(150),)
    assert result.num_frames == 150 and len(result.glosses) > 5
    assert result.glosses[0].start < 1 and 5 < result.glosses[-1].end <= 6
    assert set(result.outputs) == {'video', 'keypoint', 'joint', 'average'}


def test_a_clip_with_pauses_is_read_by_utterances(paused, inferencer):
    frames, poses = random_frames(54), signing(TWO)
    result = paused(frames, poses)
    assert result.notices == (PAUSES.format(54),)
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
    result = inferencer(random_frames(400), keypoints_of(400))
    assert len(held) > 4 * 8 and max(held) <= 12 + 16
    assert result.glosses[-1].end <= 16
