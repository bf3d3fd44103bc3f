"""Every MSKA network, narrow: it trains two steps, predicts, and goes into a bundle
that reads a clip live as at once.

The configs of the three corpora have one network.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from tiny_models import GLOSSES, HEAD, sample
from tiny_network import keypoints_of, random_frames

from mmsign import compat
from mmsign.apis import LiveRecognizer, SignInferencer, open_network, write_bundle
from mmsign.models.inference import prepare_for_inference
from mmsign.registry import MODELS, TRANSFORMS

RECIPES = Path(__file__).parents[1] / 'configs' / 'recipes'
CONFIGS = [
    RECIPES / f'{name}.py'
    for name in ('mska_slr_phoenix', 'mska_slr_toy', 's3d_mska_slr_phoenix')
]
GROUPS = [f'keypoint_{name}' for name in ('left', 'right', 'fuse', 'body')]
FRAMES, VIDEO_SIZE = 24, 64


def narrow(path: Path) -> Config:
    cfg = Config.fromfile(path)
    model = cfg.model
    model.vocab = dict(glosses=GLOSSES)
    model.keypoint.backbone.update(channels=(8, 8), strides=(2, 2), subsets=2)
    model.keypoint.head.update(HEAD)
    if 'video' in model:
        model.data_preprocessor.video_size = VIDEO_SIZE
        model.video.backbone.width = 0.125
        model.video.update(head=HEAD, pyramid_head=HEAD, pretrained=None)
        model.joint.update(HEAD)
    for step in cfg.test_dataloader.dataset.pipeline:
        if step.type == 'ClipResize':
            step.size = VIDEO_SIZE
    return cfg


def batch(video: bool, lengths=(FRAMES, 16)) -> dict:
    inputs = dict(
        keypoints=[torch.from_numpy(keypoints_of(n)[:, :79]) for n in lengths]
    )
    if video:
        rng, sides = np.random.default_rng(0), (VIDEO_SIZE, VIDEO_SIZE)
        clips = (rng.integers(0, 256, (3, n, *sides), np.uint8) for n in lengths)
        inputs['video'] = [torch.from_numpy(clip) for clip in clips]
    return dict(inputs=inputs, data_samples=[sample(n) for n in lengths])


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_from_training_to_a_live_bundle(path, tmp_path):
    cfg = narrow(path)
    torch.manual_seed(0)
    net = MODELS.build(cfg.model)
    net.init_weights()
    video = hasattr(net, 'video')
    outputs = [*['video'] * video, *GROUPS, *['joint'] * video]
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    trained = {k: p for k, p in net.named_parameters() if p.requires_grad}
    for _ in range(2):
        losses = net(**net.data_preprocessor(batch(video), True), mode='loss')
        assert {f'loss_distill_{name}' for name in outputs} <= set(losses)
        total = sum(losses.values())
        assert torch.isfinite(total)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    assert not [name for name, p in trained.items() if p.grad is None]
    net.eval()
    # Opinions, if no sense.
    weights = {
        name: 100 * x if 'classifier.weight' in name else x
        for name, x in net.state_dict().items()
    }
    state = dict(meta=dict(gloss_vocab=GLOSSES), state_dict=weights)
    compat.write_checkpoint(state, tmp_path / 'net.pth')
    with torch.no_grad():
        data = net.data_preprocessor(batch(video))
        for clip in net(**data, mode='predict'):
            assert set(clip.predictions) == {*outputs, 'average'}
        before = net(**data)
        prepare_for_inference(net, torch.float32)
        after = net(**net.data_preprocessor(batch(video)))
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-3)

    network = open_network(cfg, tmp_path / 'net.pth', device='cpu')
    write_bundle(tmp_path / 'net.bundle', network)
    recognize = SignInferencer(bundle=tmp_path / 'net.bundle', device='cpu')
    frames, poses = random_frames(FRAMES), keypoints_of(FRAMES)
    expected = recognize(frames, poses)
    assert expected.glosses and set(expected.outputs) == {*outputs, 'average'}
    live = LiveRecognizer(recognize.network, 32, 16, pauses=False, cut_probability=1.0)
    *_, event = live.run(frames, poses)
    assert event.final == expected.glosses
    # Of the face it sees what its pipeline says.
    other = poses.copy()
    other[:, 39, :2] += 20  # the end of the jaw: MSKA's, not TwoStream's
    changed = recognize(frames, other).outputs != expected.outputs
    face = cfg.test_dataloader.dataset.pipeline[0].get('face')
    assert changed == (face == 'mska')


def test_the_published_recipe():
    cfg = Config.fromfile(RECIPES / 'mska_slr_phoenix.py')
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.lr, optimizer.weight_decay) == (1e-3, 1e-3)
    assert tuple(optimizer.betas) == (0.9, 0.998)
    assert cfg.train_cfg.max_epochs == 100 and cfg.total_batch_size == 8
    steps = {s.type: s for s in cfg.train_dataloader.dataset.pipeline}
    assert 'ClipRandomCrop' not in steps
    turn = TRANSFORMS.build(steps['RandomApply'])
    points = np.ones((4, 79, 3), np.float32)
    points[..., 0] = 30
    clip = dict(keypoints=points, crop_box=(0.0, 0.0, 64.0, 48.0), face='mska')
    found = [turn(dict(clip))['keypoints'][0, 0] for _ in range(60)]
    turned = [not np.array_equal(point, points[0, 0]) for point in found]
    assert 15 < sum(turned) < 45
