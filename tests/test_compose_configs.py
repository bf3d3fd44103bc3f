"""Every composed config, narrow and small, trains two steps and predicts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from tiny_models import GLOSSES, HEAD, sample

import mmsign  # noqa: F401  registers the parts
from mmsign.models.inference import prepare_for_inference
from mmsign.registry import MODELS

CONFIGS = sorted((Path(__file__).parents[1] / 'configs' / 'compose').glob('*.py'))
VIDEO_SIZE, FRAMES = 64, 16
# What makes a network of each type small without changing its strides.
NARROW = dict(
    S3D=dict(width=0.125),
    ResNet3dSlowOnly=dict(base_channels=4),
    SwinTransformer3D=dict(
        arch=dict(embed_dims=8, depths=[1] * 4, num_heads=[1, 2, 4, 8]),
        window_size=(2, 3, 3),
    ),
    X3D=dict(gamma_w=0.4, gamma_b=1.0, gamma_d=0.5),
    UniFormer=dict(depth=[1] * 4, embed_dim=[8, 8, 16, 16], head_dim=8),
    ResNetTSM=dict(depth=18),
    STGCN=dict(base_channels=8),
)


def narrow(cfg: Config):
    """The config's network, small, without weights to download."""
    model = cfg.model
    model.vocab = dict(glosses=GLOSSES)
    sizes = model.data_preprocessor
    sizes.heatmap_size = VIDEO_SIZE * sizes.heatmap_size // sizes.video_size
    sizes.video_size = VIDEO_SIZE
    for name in ('video', 'keypoint'):
        stream = model[name]
        stream.backbone.update(NARROW[stream.backbone.type])
        if 'stage_blocks' in stream.backbone or 'SlowOnly' in stream.backbone.type:
            stages = stream.backbone.get('num_stages', 4)
            stream.backbone.stage_blocks = (1,) * stages
        stream.head = HEAD
        if model.pyramid is not None and stream.get('pyramid', True):
            stream.pyramid_head = HEAD
        stream.pretrained = None
    model.joint.update(HEAD)
    torch.manual_seed(0)
    return MODELS.build(model)


def batch(lengths=(FRAMES, 12)) -> dict:
    generator = torch.Generator().manual_seed(0)
    shape = 3, VIDEO_SIZE, VIDEO_SIZE
    return dict(
        inputs=dict(
            video=[
                torch.randint(
                    0, 256, (3, n, *shape[1:]), dtype=torch.uint8, generator=generator
                )
                for n in lengths
            ],
            keypoints=[torch.rand(n, 79, 3, generator=generator) * 64 for n in lengths],
        ),
        data_samples=[sample(n, clip_id=f'clip{n}') for n in lengths],
    )


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_it_trains_two_steps_and_predicts(path):
    cfg = Config.fromfile(path)
    for name in ('video', 'keypoint'):
        if cfg.model[name].backbone.type != 'S3D':
            url = cfg.model[name].pretrained
            assert url.startswith('https://download.openmmlab.com/mmaction/')
            assert url.endswith('.pth')
    net = narrow(cfg)
    net.init_weights()
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    trained = [p for p in net.parameters() if p.requires_grad]
    before = [p.detach().clone() for p in trained]
    for _ in range(2):
        data = net.data_preprocessor(batch(), training=True)
        losses = net(**data, mode='loss')
        total = sum(losses.values())
        assert torch.isfinite(total)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    assert not [p for p in trained if p.grad is None]
    assert any(not p.equal(b) for p, b in zip(trained, before, strict=True))
    net.eval()
    with torch.no_grad():
        data = net.data_preprocessor(batch())
        predicted = net(**data, mode='predict')
        before = net(**data)
        prepare_for_inference(net, torch.float32)
        after = net(**net.data_preprocessor(batch()))
    assert net.output_stride == 4
    for clip in predicted:
        assert set(clip.predictions) == {'video', 'keypoint', 'joint', 'average'}
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-4)


def test_the_six_are_there():
    assert {path.stem.removesuffix('_slr_phoenix') for path in CONFIGS} == {
        'slowonly_posec3d',
        'swin_s3d',
        'x3d_s3d',
        'uniformer_s3d',
        'tsm_s3d',
        's3d_stgcnpp',
    }
