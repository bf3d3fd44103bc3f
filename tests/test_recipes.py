"""Every recipe of frames, narrow: it trains two steps, predicts, and goes into a bundle
that reads a clip live as at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from tiny_models import GLOSSES, HEAD, sample
from tiny_network import keypoints_of, random_frames

from mmsign import compat
from mmsign.apis import LiveRecognizer, SignInferencer, open_network, write_bundle
from mmsign.models.inference import prepare_for_inference
from mmsign.registry import MODELS

RECIPES = Path(__file__).parents[1] / 'configs' / 'recipes'
CONFIGS = sorted(
    path
    for path in RECIPES.glob('*_slr_*.py')
    if path.name.startswith(('corrnet', 'slowfast', 'twostream'))
)
FRAMES, VIDEO_SIZE = 24, 32
# What makes a network of each type small without changing its strides.
NARROW = dict(
    S3D=dict(width=0.125, norm_momentum=0.1),
    CorrNet=dict(base_channels=8),
    BidirectionalSlowFast=dict(depth=50, base_channels=8, stage_blocks=(1, 1, 1, 1)),
    MSKA=dict(channels=(8, 8), strides=(2, 2), subsets=2),
)
TEMPORAL = dict(hidden_channels=16, dropout=0.0)
HEADS = dict.fromkeys(('TemporalConvLSTMHead', 'PathwayTemporalHead'), TEMPORAL)


def narrow(path: Path) -> Config:
    cfg = Config.fromfile(path)
    model = cfg.model
    model.vocab = dict(glosses=GLOSSES)
    sizes = model.data_preprocessor
    sizes.video_size = VIDEO_SIZE
    if 'heatmap_size' in sizes:
        sizes.heatmap_size = VIDEO_SIZE // 2
    for name in ('video', 'keypoint'):
        if name in model:
            stream = model[name]
            stream.backbone.update(NARROW[stream.backbone.type])
            stream.setdefault('head', dict(type='GlossHead'))
            stream.head.update(HEADS.get(stream.head.get('type'), HEAD))
            stream.pretrained = None
            if model.get('pyramid') and stream.get('pyramid', True):
                stream.pyramid_head = HEAD
    if model.get('joint'):
        model.joint.update(HEADS.get(model.joint.type, HEAD))
    for step in cfg.test_dataloader.dataset.pipeline:
        if step.type == 'ClipResize':
            step.size = VIDEO_SIZE
    return cfg


def batch(net, lengths=(FRAMES, 16)) -> dict:
    inputs = {}
    if hasattr(net, 'video'):
        shape = VIDEO_SIZE, VIDEO_SIZE
        inputs['video'] = [
            torch.randint(0, 256, (3, n, *shape), dtype=torch.uint8) for n in lengths
        ]
    if hasattr(net, 'keypoint'):
        poses = (keypoints_of(n)[:, :79] for n in lengths)
        inputs['keypoints'] = list(map(torch.from_numpy, poses))
    samples = [sample(n, clip_id=f'clip{n}') for n in lengths]
    return dict(inputs=inputs, data_samples=samples)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_from_training_to_a_live_bundle(path, tmp_path):
    cfg = narrow(path)
    torch.manual_seed(0)
    net = MODELS.build(cfg.model)
    net.init_weights()
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    trained = {k: p for k, p in net.named_parameters() if p.requires_grad}
    before = {k: p.detach().clone() for k, p in trained.items()}
    for _ in range(2):
        losses = net(**net.data_preprocessor(batch(net), True), mode='loss')
        total = sum(losses.values())
        assert torch.isfinite(total)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    assert not [name for name, p in trained.items() if p.grad is None]
    assert [name for name, p in trained.items() if not p.equal(before[name])]
    net.eval()
    for name, parameter in net.named_parameters():
        if 'classifier.weight' in name:
            parameter.data.mul_(100)  # opinions, if no sense
    state = dict(meta=dict(gloss_vocab=GLOSSES), state_dict=net.state_dict())
    compat.write_checkpoint(state, tmp_path / 'net.pth')
    with torch.no_grad():
        data = batch(net)
        of_training = net(**net.data_preprocessor(data))
        for clip in net(**net.data_preprocessor(data), mode='predict'):
            assert set(clip.predictions) == {*of_training} - {'lengths'}
        prepare_for_inference(net, torch.float32)
        of_inference = net(**net.data_preprocessor(data))
    torch.testing.assert_close(of_inference, of_training, rtol=1e-3, atol=1e-2)

    network = open_network(cfg, tmp_path / 'net.pth', device='cpu')
    write_bundle(tmp_path / 'net.bundle', network)
    recognize = SignInferencer(bundle=tmp_path / 'net.bundle', device='cpu')
    given = [random_frames(FRAMES)]
    if hasattr(net, 'keypoint'):
        given.append(keypoints_of(FRAMES))
    expected = recognize(*given)
    assert set(expected.outputs) == {*of_training} - {'lengths'}
    live = LiveRecognizer(recognize.network, 32, 16, pauses=False, cut_probability=1.0)
    *_, event = live.run(*given)
    assert event.final == expected.glosses and expected.glosses
