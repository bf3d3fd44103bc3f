from __future__ import annotations

import json
import zipfile
from dataclasses import replace

import pytest
import torch
from mmengine.config import Config
from tiny_network import GLOSSES, keypoints_of, write_network, write_translator

from mmsign import compat
from mmsign.apis import SignInferencer, open_network, read_bundle, write_bundle
from mmsign.errors import BundleError, CheckpointError, ConfigError
from mmsign.registry import MODELS


@pytest.mark.slow
def test_it_reads_as_config_and_checkpoint_do_bit_for_bit(bundle, inferencer, video):
    pose = keypoints_of(24)
    other = SignInferencer(bundle=bundle, device='cpu')
    assert other.network.spec == inferencer.network.spec
    assert other(video, pose).outputs == inferencer(video, pose).outputs
    ours = other.network.model.state_dict()
    theirs = inferencer.network.model.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


@pytest.mark.slow
@pytest.mark.parametrize('stream', ['video', 'keypoint'])
def test_a_single_stream(stream, tmp_path, video):
    files = write_network(tmp_path, [stream])
    path = tmp_path / 'one.bundle'
    write_bundle(path, open_network(*files, device='cpu'))
    pose = keypoints_of(24)
    results = [
        SignInferencer(bundle=path, device='cpu')(video, pose),
        SignInferencer(*files, device='cpu')(video, pose),
    ]
    assert results[0].outputs == results[1].outputs
    assert 'licence not stated' in read_bundle(path).about['licence']['weights']


@pytest.mark.slow
def test_chosen_keypoints_go_with_it(tmp_path, video):
    """Files and pipeline keep all 79; the network looks at its own."""
    cfg = Config.fromfile(write_network(tmp_path, ['keypoint'])[0])
    del cfg.model.keypoint.backbone['in_channels']
    cfg.model.data_preprocessor |= dict(keypoints=['hands', 'nose'], sigma=None)
    model = MODELS.build(cfg.model)
    for name, parameter in model.named_parameters():
        if 'classifier.weight' in name:
            parameter.data.mul_(100)
    state = dict(meta=dict(gloss_vocab=GLOSSES), state_dict=model.state_dict())
    compat.write_checkpoint(state, tmp_path / 'some.pth')
    path, pose = tmp_path / 'some.bundle', keypoints_of(24)
    write_bundle(path, open_network(cfg, tmp_path / 'some.pth', device='cpu'))
    inferencer = SignInferencer(bundle=path, device='cpu')
    found = inferencer(video, pose).outputs
    assert found['keypoint'].glosses
    others = pose.copy()
    others[:, 1:91, :2] = 0
    assert inferencer(video, others).outputs == found
    others[:, 91:, :2] = 0
    assert inferencer(video, others).outputs != found


def test_what_it_holds(bundle):
    read = read_bundle(bundle)
    assert read.about['licence']['weights'] == 'for tests only'
    assert read.about['software']['torch'] and read.about['software']['mmsign']
    assert read.spec.model['vocab'] == dict(glosses=GLOSSES)
    assert read.spec.corpus['fps'] == 25.0
    # Nothing that only training needs.
    assert not any('pyramid' in key for key in read.state)
    assert 'pyramid' not in json.dumps(read.spec.model)


def test_the_same_network_gives_the_same_bytes(bundle, network_files, tmp_path):
    path = tmp_path / 'again.bundle'
    write_bundle(path, open_network(*network_files, device='cpu'), 'for tests only')
    assert path.read_bytes() == bundle.read_bytes()
    assert not list(tmp_path.glob('*.partial'))


def test_what_a_config_may_not_name_is_refused(rewrite):
    def change(config):
        config['model']['video']['backbone'] = dict(type='os.system', command='echo')

    with pytest.raises(BundleError, match=r"changed\.bundle: .* names 'os\.system'"):
        read_bundle(rewrite(change))


@pytest.mark.parametrize('calibration', [[1], dict(average=3), dict(average={})])
def test_a_calibration_that_is_none(calibration, bundle, rewrite):
    about = read_bundle(bundle).about | dict(calibration=calibration)
    path = rewrite(bundle=json.dumps(about).encode())
    with pytest.raises(BundleError, match=r'changed\.bundle.*calibration'):
        read_bundle(path)


@pytest.mark.slow
def test_glosses_in_another_order_are_refused(rewrite):
    swapped = ''.join(f'{gloss}\n' for gloss in reversed(GLOSSES)).encode()
    with pytest.raises(BundleError, match='vocabulary.txt was changed since'):
        read_bundle(rewrite(sealed=True, vocabulary=swapped))
    for digests in ('x', None, {}):
        with pytest.raises(BundleError):
            read_bundle(rewrite(sealed=True, bundle=about_with(sha256=digests)))
    # An earlier version's bundle cannot tell.
    read = read_bundle(rewrite(vocabulary=swapped))
    assert read.spec.model['vocab']['glosses'] == [*reversed(GLOSSES)]


def test_what_no_reader_would_accept_is_not_written(network_files, tmp_path):
    network = open_network(*network_files, device='cpu')
    model = network.spec.model | dict(neck=dict(type='my_package.Neck'))
    network = replace(network, spec=replace(network.spec, model=model))
    with pytest.raises(BundleError, match=r"a\.bundle: .* names 'my_package\.Neck'"):
        write_bundle(tmp_path / 'a.bundle', network)
    assert not list(tmp_path.iterdir())


def test_damaged_and_foreign_files(rewrite, bundle, tmp_path):
    later = b'{"format": "mmsign-bundle", "version": 2}'
    for members, message in (
        (dict(config=b'{'), r'config\.json'),
        (dict(config=b'[' * 10**5), r'config\.json'),
        (dict(config=b'{"model": {}}'), r"\['model'\]"),
        (dict(bundle=later), 'version 2'),
        (dict(weights=b'nothing'), ''),
        (dict(vocabulary=b'RAIN\nRAI N\n'), "'RAI N'"),
        (dict(code=b'import os'), "'code'"),
    ):
        with pytest.raises(BundleError, match=rf'changed\.bundle.*{message}'):
            read_bundle(rewrite(**members))
    with pytest.raises(BundleError, match='compressed'):
        read_bundle(rewrite(compress=zipfile.ZIP_DEFLATED))
    half = tmp_path / 'half.bundle'
    half.write_bytes(bundle.read_bytes()[:-200])
    with pytest.raises(BundleError, match=r'half\.bundle'):
        read_bundle(half)
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_bundle(tmp_path / 'gone.bundle')


# Sentences ----------------------------------------------------------------------


@pytest.fixture(scope='module')
def translating(translator_files, tmp_path_factory):
    path = tmp_path_factory.mktemp('bundle') / 'slt.bundle'
    write_bundle(path, open_network(*translator_files, device='cpu'))
    return path


@pytest.mark.slow
def test_sentences_are_those_of_config_and_checkpoint(
    translating, translator_files, video, monkeypatch
):
    pose = keypoints_of(24)
    expected = SignInferencer(*translator_files, device='cpu')(video, pose)
    # Nothing but the bundle is read.
    monkeypatch.setattr('mmsign.text.TextVocabulary.from_folder', None)
    other = SignInferencer(bundle=translating, device='cpu')
    found = other(video, pose)
    assert found.outputs == expected.outputs
    assert found.translations == expected.translations
    assert set(found.translations) == {'video', 'joint', 'ensemble'}
    # Written once more, it is the same file.
    again = translating.with_name('again.bundle')
    write_bundle(again, other.network)
    assert again.read_bytes() == translating.read_bytes()


@pytest.mark.slow
def test_a_pruned_mbart_of_a_folder(network_files, tmp_path, video):
    """Weights, sizes and text vocabulary come from a folder that stays behind."""
    tiny_mbart = pytest.importorskip('tiny_mbart')
    tiny_text = pytest.importorskip('tiny_text')
    from mmsign.compat.transformers_mbart import new_mbart

    folder = tmp_path / 'mbart'
    text = tiny_text.tiny_text_vocabulary().prune(tiny_text.TEXTS[:2])
    text.save(folder)
    sizes = tiny_mbart.SIZES | dict(
        d_model=24, activation_function='relu', init_std=1.0
    )
    new_mbart(len(text), **sizes).save_pretrained(folder)
    mbart = dict(language='de_DE', folder=str(folder), gloss_table=False, max_length=9)
    files = write_translator(tmp_path, network_files, mbart)
    pose = keypoints_of(24)
    whole = SignInferencer(*files, device='cpu')
    expected, theirs = whole(video, pose), whole.network.model.state_dict()
    path = tmp_path / 'pruned.bundle'
    write_bundle(path, open_network(*files, device='cpu'))
    folder.rename(tmp_path / 'elsewhere')
    other = SignInferencer(bundle=path, device='cpu')
    found, ours = other(video, pose), other.network.model.state_dict()
    assert found.translations == expected.translations
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    mbart = read_bundle(path).spec.model['translation']['joint']['mbart']
    assert mbart['d_model'] == 24 and mbart['activation_function'] == 'relu'
    assert mbart['vocabulary'].kept == text.kept


@pytest.mark.slow
def test_heads_and_text_that_are_damaged(translating, rewrite):
    def change(config):
        config['model']['translation']['video']['mbart']['folder'] = '/etc'

    with pytest.raises(BundleError, match=r"changed\.bundle: .* may not set 'folder'"):
        read_bundle(rewrite(change, of=translating))
    for members, name in (
        (dict(text=b'[5, 6]'), 'kept ids'),
        (dict(text=b'{"a": 1}'), r'text\.json'),
        (dict(text=b'[0, 1, 2, 3, true]'), r'text\.json'),
        (dict(text=b'['), r'text\.json'),
        (dict(sentencepiece=b'nothing'), 'sentencepiece'),
        (dict(bundle=about_with(shared=dict(a='gone'))), 'gone'),
    ):
        with pytest.raises(BundleError, match=rf'changed\.bundle.*{name}'):
            read_bundle(rewrite(of=translating, **members))


def about_with(**changes) -> bytes:
    return json.dumps(dict(format='mmsign-bundle', version=1) | changes).encode()


# Opening --------------------------------------------------------------------------


@pytest.mark.slow
def test_both_ways_can_be_fast(bundle, network_files):
    for network in (
        open_network(*network_files, device='cpu', fast=True),
        open_network(bundle=str(bundle), device='cpu', fast=True),
    ):
        assert not any('bn' in key for key in network.model.state_dict())


def test_one_network_is_to_be_named(bundle, network_files):
    config, checkpoint = network_files
    for arguments in (
        {},
        dict(config=config),
        dict(checkpoint=checkpoint),
        dict(config=config, bundle=bundle),
        dict(config=config, checkpoint=checkpoint, bundle=bundle),
    ):
        with pytest.raises(ConfigError, match='name one network'):
            open_network(**arguments, device='cpu')


@pytest.mark.parametrize(('key', 'value'), [('width', 0.25), ('depths', 4)])
def test_a_bundle_of_another_network(rewrite, key, value):
    def change(config):
        config['model']['video']['backbone'][key] = value

    with pytest.raises(BundleError, match=r'changed\.bundle'):
        open_network(bundle=rewrite(change), device='cpu')


def test_files_that_are_missing_or_something_else(bundle, network_files, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'gone\.bundle'):
        open_network(bundle=tmp_path / 'gone.bundle')
    with pytest.raises(BundleError, match=r'tiny\.pth'):
        open_network(bundle=network_files[1])
    with pytest.raises(CheckpointError, match=r'a\.bundle'):
        open_network(network_files[0], bundle)
    with pytest.raises(ConfigError, match='nowhere'):
        open_network(bundle=bundle, device='nowhere')
