"""Every recipe, small: trains two steps, predicts, is one file, reads live as offline.

A recipe's configs of several corpora have one network; it is run on the first of them,
and ``test_configs.py`` builds them all.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from tiny_models import GLOSSES, HEAD, sample
from tiny_network import keypoints_of, random_frames
from tiny_run import load_tool, unique_name

from mmsign import compat
from mmsign.apis import LiveRecognizer, SignInferencer, open_network, write_bundle
from mmsign.models import SignTranslator
from mmsign.registry import MODELS, TRANSFORMS
from mmsign.toy.corpus import invent_sentences, write_corpus

CONFIGS = Path(__file__).parents[1] / 'configs' / 'recipes'
RECIPES = sorted(CONFIGS.glob('*_phoenix.py'))
# Those of keypoints alone, and what they begin with, have tests of their own.
RECIPES = [path for path in RECIPES if path.name[:4] not in ('mska', 's3d_')]
SIZE = 32
# What makes a network of each type small without changing its strides.
NARROW = dict(
    S3D=dict(width=0.125, norm_momentum=0.1),
    ResNet=dict(),
    CorrNet=dict(base_channels=8),
    BidirectionalSlowFast=dict(depth=50, base_channels=8, stage_blocks=(1, 1, 1, 1)),
    MSKA=dict(channels=(8, 8), strides=(2, 2), subsets=2),
    GlossHead=HEAD,
    JointHead=HEAD,
    GroupHead=HEAD,
    TemporalConvLSTMHead=dict(hidden_channels=16),
    PathwayTemporalHead=dict(hidden_channels=16),
)


def narrow(path: Path) -> Config:
    """The recipe with narrow parts, on small frames, without weights to download."""
    cfg = Config.fromfile(path)
    model, sizes = cfg.model, cfg.model.data_preprocessor
    model.vocab = dict(glosses=GLOSSES)
    sizes.video_size = SIZE
    if 'heatmap_size' in sizes:
        sizes.heatmap_size = SIZE // 2
    streams = [model[name] for name in ('video', 'keypoint') if name in model]
    for stream in streams:
        stream.pretrained = None
        stream.head = stream.get('head') or dict(type='GlossHead')
        if model.get('pyramid') and stream.get('pyramid', True):
            stream.pyramid_head = HEAD
    parts = [part for stream in streams for part in (stream.backbone, stream.head)]
    for part in (*parts, *filter(None, [model.get('joint')])):
        part.update(NARROW[part.type])
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        for step in loader.dataset.pipeline:
            if step.type == 'ClipResize':
                step.size = SIZE
            if step.type == 'SampleRescaled':
                step.min_length = 8
    return cfg


def clip(cfg: Config, frames: int, seed: int) -> dict:
    """What the training pipeline makes of a clip in memory."""
    record = sample(frames, clip_id=f'clip{seed}').metainfo
    record |= dict(frames=random_frames(frames, seed), frame_size=(64, 48), text='')
    if 'keypoint' in cfg.model:
        record['keypoints'] = keypoints_of(frames)[:, :79]
    for step in cfg.train_dataloader.dataset.pipeline[1:]:
        if step.type == 'DecodeClip':
            record['frames'] = record['frames'][record['frame_indices']]
        else:
            record = TRANSFORMS.build(step)(record)
    return record


def batch_of(cfg: Config, lengths: tuple[int, ...]) -> dict:
    """A batch of such clips."""
    clips = [clip(cfg, frames, frames) for frames in lengths]
    inputs = {k: [c['inputs'][k] for c in clips] for k in clips[0]['inputs']}
    return dict(inputs=inputs, data_samples=[c['data_samples'] for c in clips])


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_it_trains_predicts_and_reads_live_as_offline(path, tmp_path):
    cfg = narrow(path)
    torch.manual_seed(0)
    net = MODELS.build(cfg.model)
    net.init_weights()
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    batch = batch_of(cfg, (20, 14))
    for _ in range(2):
        data = net.data_preprocessor(batch, training=True)
        total = sum(net(**data, mode='loss').values())
        assert torch.isfinite(total)
        optimizer.zero_grad()
        total.backward()
        trained = {n: p for n, p in net.named_parameters() if p.requires_grad}
        assert not [name for name, p in trained.items() if p.grad is None]
        optimizer.step()
    # It has opinions, if no sense.
    for name, parameter in net.named_parameters():
        if 'classifier.weight' in name:
            parameter.data.mul_(30)
    net.eval()
    with torch.no_grad():
        predicted = net(**net.data_preprocessor(batch), mode='predict')
    for one in predicted:
        assert one.predictions.keys() == {*net.heads, 'average'}
        assert len(one.log_probs['average']) == one.length // net.output_stride
    state = dict(meta=dict(gloss_vocab=GLOSSES), state_dict=net.state_dict())
    compat.write_checkpoint(state, tmp_path / 'narrow.pth')
    opened = open_network(cfg, tmp_path / 'narrow.pth', device='cpu')
    write_bundle(tmp_path / 'narrow.bundle', opened, 'for tests only')
    inferencer = SignInferencer(bundle=tmp_path / 'narrow.bundle', device='cpu')
    given = [random_frames(22)]  # the last step is not full
    if 'keypoint' in cfg.model:
        given.append(keypoints_of(22))
    live = LiveRecognizer(inferencer.network, 32, 16, cut_probability=1.0)
    *_, event = live.run(*given)
    assert event.final and event.final == inferencer(*given).glosses


@pytest.mark.parametrize(
    ('recipe', 'output', 'head'),
    [
        ('vac', 'video', 'video.head.'),
        ('slowfastsign', 'video', 'video.head.'),
        ('corrnet_mska', 'keypoint_fuse', 'keypoint.head.heads.fuse.'),
        ('slowfast_s3d', 'joint', 'joint_head.'),
        ('twostream_temporal', 'joint', 'joint_head.'),
    ],
)
def test_a_translator_reads_the_gloss_features(recipe, output, head):
    pytest.importorskip('transformers')
    from tiny_mbart import mbart_config

    cfg = narrow(CONFIGS / f'{recipe}_slr_phoenix.py')
    vocab = cfg.model.pop('vocab')
    translation = dict(mbart=mbart_config(beam_width=2), g2t_checkpoint='')
    net = SignTranslator(vocab, recognizer=cfg.model, translation={output: translation})
    batch = batch_of(cfg, (20, 14))
    for one in batch['data_samples']:
        one.set_metainfo(dict(text='es regnet'))
    net.train()
    losses = net(**net.data_preprocessor(batch, training=True), mode='loss')
    sum(v for name, v in losses.items() if 'translation' in name).backward()
    weights = net.recognizer.named_parameters()
    taught = [n for n, p in weights if p.grad is not None and p.grad.any()]
    assert taught and all(name.startswith(head) for name in taught)
    net.eval()
    with torch.no_grad():
        found = net(**net.data_preprocessor(batch), mode='predict')
    assert [list(one.translations) for one in found] == [[output]] * 2


def test_the_tools_run_a_recipe_on_phoenix_2014s_layout(tmp_path, monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.chdir(tmp_path)
    sentences = invent_sentences(dict(train=4, dev=1, test=2), 0, seed=0)
    write_corpus(tmp_path / 'corpus', sentences, 'phoenix2014', (42, 52), 0, workers=1)
    options = [
        'data_root=corpus',
        f'model.data_preprocessor.video_size={SIZE}',
        'model.video.backbone.base_channels=8',
        'model.video.head.hidden_channels=16',
        'model.video.pretrained=None',
        'train_dataloader.batch_size=2',
        'train_dataloader.sampler.batch_size=2',
        'train_cfg.max_epochs=1',
    ]
    loaders = ('train_dataloader', 'val_dataloader', 'test_dataloader')
    for name in loaders:
        resize = f'{name}.dataset.pipeline.4.size={SIZE}'
        options += [f'{name}.num_workers=0', resize]
    config = str(CONFIGS / 'corrnet_slr_phoenix.py')

    def run(tool: str, *arguments: str) -> dict | None:
        name = f'experiment_name={unique_name()}'
        return load_tool(tool).main(
            [config, *arguments, '--cfg-options', *options, name]
        )

    run('train', '--work-dir', 'work')
    checkpoint = torch.load('work/epoch_1.pth', weights_only=False)
    assert checkpoint['meta']['iter'] == 2
    metrics = run('test', 'work/epoch_1.pth', '--work-dir', 'test')
    assert metrics['average/reference_words'] == sum(
        len(s.glosses) for s in sentences['test']
    )


def test_the_published_schedule():
    cfg = Config.fromfile(CONFIGS / 'vac_slr_phoenix.py')
    optimizer = cfg.optim_wrapper.optimizer
    assert optimizer == dict(type='FusedAdam', lr=1e-4, weight_decay=1e-4)
    (schedule,) = cfg.param_scheduler
    assert (schedule.milestones, schedule.gamma) == ([20, 35], 0.2)
    assert (cfg.train_cfg.max_epochs, cfg.total_batch_size) == (40, 2)
    assert cfg.model.decoder == dict(beam_width=10, merge_adjacent=True)
    assert cfg.model.data_preprocessor.video_rgb


def test_slowfastsigns_schedule():
    cfg = Config.fromfile(CONFIGS / 'slowfastsign_slr_phoenix.py')
    (schedule,) = cfg.param_scheduler
    assert (schedule.milestones, schedule.gamma) == ([40, 60], 0.2)
    assert (cfg.train_cfg.max_epochs, cfg.total_batch_size) == (80, 2)
    sizes = cfg.model.data_preprocessor
    assert sizes.video_rgb and sizes.video_mean == (114.75,) * 3
