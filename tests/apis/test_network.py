from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
import torch
from mmengine.config import Config
from tiny_network import GLOSSES, keypoints_of, random_frames, write_network

from mmsign import compat
from mmsign.apis import SignInferencer, open_network
from mmsign.apis.network import (
    TRAINING_ONLY,
    NetworkSpec,
    build_network,
    spec_of_config,
)
from mmsign.errors import CheckpointError, ConfigError

OUTPUTS = ['video', 'keypoint', 'joint', 'average']


@pytest.fixture
def cfg(network_files) -> Config:
    """Config of a network that is yet to be changed."""
    return Config.fromfile(network_files[0])


@pytest.fixture(scope='module')
def network(network_files):
    return open_network(*network_files, device='cpu')


def keys_of(value) -> set[str]:
    """Every key in a nesting of dicts and lists."""
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, str) or not hasattr(children, '__iter__'):
        return set()
    found = set(value) if isinstance(value, dict) else set()
    return found.union(*map(keys_of, children))


# What inference needs of a config -----------------------------------------------------


def test_a_spec_is_plain_data_without_what_only_training_needs(cfg):
    cfg.model.video.checkpoint = 'stage1.pth'
    cfg.model.video.backbone.init_cfg = dict(type='Pretrained', checkpoint='x.pth')
    assert {'pyramid', 'distillation', 'init_cfg'} <= keys_of(cfg.model.to_dict())
    spec = spec_of_config(cfg)
    for part in (spec.model, spec.pipeline, spec.corpus):
        assert json.loads(json.dumps(part)) == part
    assert not keys_of(spec.model) & set(TRAINING_ONLY)
    assert spec.model['vocab'] == dict(glosses=GLOSSES)
    assert spec.model['video']['backbone'] == dict(
        type='S3D', in_channels=3, width=0.125
    )
    kinds = ['LoadClip', 'SampleClip', 'DecodeClip', 'ClipCenterCrop', 'ClipResize']
    assert [step['type'] for step in spec.pipeline] == [*kinds, 'PackClip']
    assert spec.corpus == dict(
        fps=25.0, frame_size=[64, 48], dataset='Phoenix2014TDataset'
    )


def test_the_pipeline_is_found_inside_wrappers(cfg):
    expected = spec_of_config(cfg)
    inner = cfg.test_dataloader.dataset
    cfg.test_dataloader = dict(dataset=dict(type='RepeatDataset', dataset=inner))
    assert spec_of_config(cfg) == expected


def test_a_pipeline_of_features_is_replaced_by_the_one_beside_it(cfg):
    expected = spec_of_config(cfg)
    dataset = cfg.test_dataloader.dataset
    cfg.test_pipeline = dataset.pipeline
    dataset.pipeline = [dict(type='LoadFeatures', feature_file='nowhere')]
    assert spec_of_config(cfg) == expected
    cfg.pop('test_pipeline')
    with pytest.raises(ConfigError, match='nor a test_pipeline beside one that reads'):
        spec_of_config(cfg)


def test_a_network_of_video_alone_reads_no_keypoints(tmp_path):
    """Though the pipeline that it shares with others would."""
    cfg = Config.fromfile(write_network(tmp_path, ['video'])[0])
    expected = spec_of_config(cfg)
    cfg.test_dataloader.dataset.pipeline[0].keypoints = True
    assert spec_of_config(cfg) == expected
    assert expected.pipeline[0]['keypoints'] is False


def test_a_network_of_video_may_find_the_signer_by_keypoints(tmp_path):
    config, checkpoint = write_network(tmp_path, ['video'])
    cfg = Config.fromfile(config)
    steps = cfg.test_dataloader.dataset.pipeline
    steps[0].keypoints, steps[3] = True, dict(type='SignerCrop')
    inferencer = SignInferencer(cfg, checkpoint, device='cpu')
    poses = keypoints_of(12)
    poses[:, 5:7, :2] = (40, 20), (28, 20)
    job = inferencer.preprocess(random_frames(12), poses)
    assert job.prepared['data_samples'].crop_box == (10, -1, 48, 48)
    assert {*inferencer(random_frames(12), poses).outputs} == {'video', 'average'}


def test_a_translator_keeps_its_text_and_names_no_checkpoints(translator_files):
    cfg = Config.fromfile(translator_files[0])
    cfg.model.recognizer_checkpoint = 'slr.pth'
    cfg.model.checkpoint = 'slt.pth'
    cfg.model.translation.video.g2t_checkpoint = 'g2t.pth'
    cfg.model.translation.video.mbart.loss = dict(type='LabelSmoothingLoss')
    spec = spec_of_config(cfg)
    assert set(spec.model) == {'type', 'vocab', 'recognizer', 'translation'}
    assert not keys_of(spec.model['recognizer']) & set(TRAINING_ONLY)
    mbart = cfg.model.translation.video.mbart.to_dict()
    assert spec.model['translation']['video'] == dict(mbart=mbart)


def test_a_translators_glosses_are_named_once(translator_files):
    """Shipped configs hand a whole recognizer's config to the translator."""
    cfg = Config.fromfile(translator_files[0])
    cfg.model.recognizer.vocab = dict(dataset='Phoenix2014TDataset', data_root='gone')
    model = spec_of_config(cfg).model
    assert model['vocab'] == dict(glosses=GLOSSES)
    assert 'vocab' not in model['recognizer']


def test_glosses_come_from_the_checkpoint_if_the_config_names_a_corpus(
    cfg, network_files
):
    cfg.model.vocab = dict(dataset='Phoenix2014TDataset', data_root='nowhere')
    before = copy.deepcopy(cfg.to_dict())
    spec = spec_of_config(cfg, str(network_files[1]))
    assert spec.model['vocab'] == dict(glosses=GLOSSES)
    # The config may be used again, with a checkpoint of other glosses.
    assert cfg.to_dict() == before
    with pytest.raises(ConfigError, match="the corpus in 'nowhere', which is not a"):
        spec_of_config(cfg)


def test_configs_that_are_none(cfg, network_files, tmp_path):
    config, checkpoint = network_files
    with pytest.raises(ConfigError, match=r'gone\.py does not exist'):
        open_network(tmp_path / 'gone.py', checkpoint)
    with pytest.raises(FileNotFoundError, match=r'gone\.pth does not exist'):
        open_network(config, tmp_path / 'gone.pth')
    cfg.test_dataloader.dataset.pipeline = []
    with pytest.raises(ConfigError, match=r'no test_dataloader\.dataset\.pipeline'):
        spec_of_config(cfg)
    with pytest.raises(ConfigError, match='it describes no model'):
        spec_of_config(Config(dict(test_pipeline=[])))


# The network --------------------------------------------------------------------------


def test_it_has_the_checkpoints_weights_and_cannot_be_trained(network, network_files):
    stored = torch.load(network_files[1], weights_only=True)['state_dict']
    needed = network.model.required_state()
    assert needed and all(torch.equal(x, stored[key]) for key, x in needed.items())
    assert set(stored) - set(needed) == {key for key in stored if 'pyramid' in key}
    assert not any(module.training for module in network.model.modules())
    assert not any(x.requires_grad for x in network.model.parameters())
    assert (network.device, network.dtype) == (torch.device('cpu'), torch.float32)
    assert network.time_stride == 4
    assert network.recognizer is network.model and not network.translates


def test_a_bare_state_dict_of_several_processes_will_do(network):
    state = {f'module.{k}': x for k, x in network.model.state_dict().items()}
    found = build_network(network.spec, state, 'cpu').model.state_dict()
    assert all(torch.equal(x, found[k]) for k, x in network.model.state_dict().items())


def test_what_is_known_of_the_corpus(network):
    assert (network.fps, network.statistics) == (25.0, None)
    assert network.pipeline.frame_size == (64, 48)
    bare = replace(network, spec=replace(network.spec, corpus={}))
    assert (bare.fps, bare.statistics) == (None, None)


@pytest.mark.slow
def test_a_translator_has_a_recognizer(translator_files, network):
    translator = open_network(*translator_files, device='cpu')
    assert translator.translates and translator.time_stride == 4
    found = translator.recognizer.state_dict()
    expected = network.model.required_state()
    assert all(torch.equal(found[key], x) for key, x in expected.items())


def test_fast_merges_batch_norms(network_files):
    fast = open_network(*network_files, device='cpu', fast=True)
    assert not any('bn' in key for key in fast.model.state_dict())
    assert fast.dtype in (torch.float32, torch.bfloat16)
    weights = fast.model.video.backbone.state_dict().values()
    assert {x.dtype for x in weights if x.dim() == 5} == {fast.dtype}


# Networks that do not fit -------------------------------------------------------------


def test_a_checkpoint_of_another_network(network_files, tmp_path):
    _, checkpoint = write_network(tmp_path, ['video'])
    with pytest.raises(CheckpointError, match=r'tiny\.pth: .* does not fit the netw'):
        open_network(network_files[0], checkpoint)


def test_a_checkpoint_of_another_vocabulary(network, network_files, tmp_path):
    path = tmp_path / 'other.pth'
    meta = dict(gloss_vocab=[*GLOSSES[1:], GLOSSES[0]])
    state = network.model.state_dict()
    compat.write_checkpoint(dict(meta=meta, state_dict=state), path)
    with pytest.raises(CheckpointError, match=r'other\.pth: .*differ first at posi'):
        open_network(network_files[0], path)


def test_a_network_for_something_else():
    spec = NetworkSpec(dict(type='ResNet', depth=18), [], {})
    with pytest.raises(ValueError, match='ResNet'):
        build_network(spec, {}, 'cpu')


# What it says -------------------------------------------------------------------------


def prepared(inferencer: SignInferencer, count: int, seed: int = 0):
    frames, keypoints = random_frames(count, seed), keypoints_of(count, seed=seed)
    return inferencer.preprocess(frames, keypoints).prepared


def test_its_log_probabilities_are_those_of_its_logits(inferencer):
    network, clip = inferencer.network, prepared(inferencer, 20)
    found, frames = network.log_probs([clip])
    assert list(found) == OUTPUTS and frames == 20
    data = dict(
        inputs={name: [x] for name, x in clip['inputs'].items()},
        data_samples=[clip['data_samples']],
    )
    with torch.inference_mode():
        ready = network.model.data_preprocessor(data)
        logits = network.model(ready['inputs'], ready['data_samples'])
    for name in OUTPUTS[:3]:
        torch.testing.assert_close(found[name], logits[name].log_softmax(-1))
    torch.testing.assert_close(found['average'].exp(), logits['average'])


def test_a_batch_is_as_long_as_its_longest_clip(inferencer):
    clips = [prepared(inferencer, n, seed) for seed, n in enumerate((24, 8, 18))]
    found, frames = inferencer.network.log_probs(clips)
    assert frames == 24 and found['average'].shape == (3, 6, 5)
    alone, _ = inferencer.network.log_probs(clips[:1])
    for name in OUTPUTS:
        torch.testing.assert_close(found[name][:1], alone[name], rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize('translate', [False, True])
def test_sentences_are_written_if_wanted(translator_files, inferencer, translate):
    translator = SignInferencer(*translator_files, device='cpu')
    clips = [prepared(translator, 16), prepared(translator, 16, seed=1)]
    found, _ = translator.network.log_probs(clips, translate=translate)
    outputs = {'video', 'joint', 'ensemble'} if translate else set()
    for clip in clips:
        sentences = clip['data_samples'].get('translations', {})
        assert set(sentences) == outputs
        assert all(isinstance(one.text, str) for one in sentences.values())
    # The glosses are those of the recognizer inside.
    expected, _ = inferencer.network.log_probs(clips)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
