"""What is refused, or told, before a translator runs."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny_mbart import mbart_config
from tiny_text import TEXTS

from mmsign.datasets.io.feature_file import ClipFeatures, write_features
from mmsign.datasets.transforms import LoadFeatures, PackSentence
from mmsign.engine.hooks import TranslationCheckHook
from mmsign.errors import CheckpointError, ConfigError, DataError
from mmsign.models import GlossToText


class Clips:
    """Clips with given glosses and sentences."""

    def __init__(self, texts, transform=None, glosses=('RAIN',)):
        self.texts, self.glosses = texts, list(glosses)
        self.pipeline = SimpleNamespace(transforms=[transform or PackSentence()])

    def __len__(self):
        return len(self.texts)

    def get_data_info(self, index):
        return dict(clip_id=f'c{index}', glosses=self.glosses, text=self.texts[index])


class Network(torch.nn.Module):
    """What the hook asks of a SignTranslator."""

    def __init__(self, text_vocabulary):
        super().__init__()
        self.text_vocabulary = text_vocabulary

    def network_fingerprint(self):
        return 'mine'


@pytest.fixture(scope='module')
def g2t():
    return GlossToText(dict(glosses=['RAIN', 'SUN']), mbart_config())


@pytest.fixture
def run(g2t, caplog):
    """Call the hook's checks on given clips; returns what was logged."""

    def run(train=None, val=None, test=None, model=g2t):
        def loop(clips):
            return clips and SimpleNamespace(dataloader=SimpleNamespace(dataset=clips))

        runner = SimpleNamespace(
            model=model,
            logger=logging.getLogger('test_translation_check'),
            train_dataloader=SimpleNamespace(dataset=train),
            val_loop=loop(val),
            test_loop=loop(test),
        )
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            if train is not None:
                TranslationCheckHook().before_train(runner)
            if test is not None:
                TranslationCheckHook().before_test(runner)
        return caplog.text

    return run


def test_good_sentences_pass_in_silence(run):
    assert run(train=Clips(TEXTS)) == ''


@pytest.mark.parametrize('text', [None, '', '  '])
def test_a_clip_without_a_sentence_is_refused(run, text):
    with pytest.raises(ConfigError, match='training.* c1 '):
        run(train=Clips([TEXTS[0], text]))
    for split in (
        dict(train=Clips(TEXTS), val=Clips([text])),
        dict(test=Clips([text])),
    ):
        with pytest.raises(ConfigError, match='evaluated.* c0 '):
            run(**split)


def test_lost_sentences_are_counted_and_shown(run):
    logged = run(train=Clips([TEXTS[0], 'xylophon .', 'qualle .']))
    assert '2 of 3 training sentences do not survive' in logged
    assert "c1: 'xylophon .'" in logged


def test_unknown_glosses_are_counted(run):
    logged = run(test=Clips(TEXTS, glosses=['RAIN', 'HAIL', 'FOG']))
    assert '8 glosses of the evaluated split' in logged and 'FOG, HAIL' in logged
    assert run(test=Clips(TEXTS)) == ''
    assert 'HAIL' in run(train=Clips(TEXTS), val=Clips(TEXTS, glosses=['HAIL']))


def test_features(run, g2t, tmp_path):
    path = str(tmp_path / 'f.safetensors')
    one = ClipFeatures(dict(video=np.ones((1, 2))), np.arange(4), 4)
    write_features(path, dict(c0=one, c1=one), 'mine')
    clips = Clips(TEXTS[:2], LoadFeatures(path))
    network = Network(g2t.text_vocabulary)
    assert run(train=clips, val=clips, test=clips, model=network) == ''
    with pytest.raises(DataError, match=r"\['c2', 'c3'\]"):
        run(test=Clips(TEXTS, LoadFeatures(path)), model=network)
    write_features(path, dict(c0=one, c1=one), 'another')
    with pytest.raises(DataError, match='another'):
        run(train=clips, model=network)
    with pytest.raises(FileNotFoundError, match='extract_features'):
        run(test=Clips(TEXTS, LoadFeatures(path + '.none')), model=network)


def test_a_checkpoint_of_another_text_vocabulary_is_refused(g2t):
    hook, checkpoint = TranslationCheckHook(), dict(meta={})
    runner = SimpleNamespace(model=g2t)
    hook.before_save_checkpoint(runner, checkpoint)
    assert list(checkpoint['meta']['text_vocab']) == ['gloss']
    hook.after_load_checkpoint(runner, checkpoint)
    hook.after_load_checkpoint(runner, dict(state_dict={}))
    checkpoint['meta']['text_vocab']['gloss'] = '80:0'
    with pytest.raises(CheckpointError, match='text vocabulary'):
        hook.after_load_checkpoint(runner, checkpoint)
