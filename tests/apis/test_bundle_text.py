from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from tiny_network import GLOSSES

from mmsign.apis import load_network
from mmsign.apis.bundle_text import (
    check_translation,
    text_members,
    translation_config,
    with_text,
)

pytest.importorskip('transformers')
pytest.importorskip('sentencepiece')

from tiny_mbart import SIZES
from tiny_text import TEXTS, tiny_text_vocabulary


@pytest.fixture(scope='module')
def model(translator_files):
    return load_network(*translator_files, device='cpu').model


def test_the_config_of_the_heads_is_plain_settings(model):
    found = translation_config(model)
    assert set(found) == {'video', 'joint'}
    settings = found['joint']['mbart']
    # As in the config of the network, and what it leaves to mBART's defaults.
    given = SIZES | dict(language='de_DE', beam_width=2, max_length=12, init_std=1.0)
    assert {key: settings[key] for key in given} == given
    assert set(settings) - set(given) == {
        'activation_function',
        'length_penalty',
        'scale_embedding',
    }
    assert json.loads(json.dumps(found)) == found
    check_translation(found)


def test_written_and_read_back_it_is_the_same_text_vocabulary(model):
    heads = translation_config(model)
    read = with_text(
        dict(vocab=dict(glosses=GLOSSES), translation=heads), text_members(model), 'a'
    )
    assert read['vocab'] == dict(glosses=GLOSSES)
    for output, head in read['translation'].items():
        assert head['mbart'].pop('vocabulary') == model.text_vocabulary
        assert head == heads[output]


def test_a_pruned_text_vocabulary_keeps_its_numbers():
    pruned = tiny_text_vocabulary().prune(TEXTS[:1])
    contents = text_members(SimpleNamespace(text_vocabulary=pruned))
    model = dict(translation=dict(joint=dict(mbart={})))
    read = with_text(model, contents, 'a')['translation']['joint']['mbart']
    assert len(pruned) < len(tiny_text_vocabulary())
    assert read['vocabulary'].kept == pruned.kept
    assert read['vocabulary'] == pruned


def test_a_head_of_another_class_is_refused():
    model = SimpleNamespace(translation=dict(joint=SimpleNamespace()))
    with pytest.raises(ValueError, match="head of 'joint' is a SimpleNamespace, which"):
        translation_config(model)


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('folder', '/etc'),
        ('vocabulary', '/etc'),
        ('attn_implementation', 'somebody/kernels'),
        ('d_model', 'many'),
        ('d_model', [16]),
        ('language', 7),
        ('activation_function', ['relu']),
        ('loss', dict(type='CTCLoss')),
    ],
)
def test_settings_of_mbart_that_are_refused(key, value):
    heads = dict(video=dict(mbart=dict(d_model=16, language='de_DE')))
    check_translation(heads)
    heads['video']['mbart'][key] = value
    with pytest.raises(ValueError, match=f'its mBART may not set {key!r} to '):
        check_translation(heads)


@pytest.mark.parametrize(
    'head', [None, {}, dict(mbart='/etc'), dict(mbart={}, type='S3D'), dict(type='S3D')]
)
def test_heads_that_are_no_plain_mbart(head):
    with pytest.raises(ValueError, match="head 'video' is no plain mBART"):
        check_translation(dict(joint=dict(mbart={}), video=head))


def test_heads_are_named_by_their_output():
    with pytest.raises(ValueError, match='its translation is no dict of heads'):
        check_translation([dict(mbart={})])


@pytest.mark.parametrize(
    ('member', 'content', 'message'),
    [
        ('text.json', b'{"a": 1}', r'text\.json is no list of ids'),
        ('text.json', b'[0, 1, 2, true]', r'text\.json is no list of ids'),
        ('text.json', b'[5, 6]', r'a\.bundle: the kept ids must ascend'),
        ('text.json', b'[', 'Expecting value'),
        ('sentencepiece.model', b'nothing', r'a\.bundle is not a sentencepiece'),
    ],
)
def test_damaged_members(model, member, content, message):
    contents = text_members(model) | {member: content}
    with pytest.raises(ValueError, match=message):
        with_text(dict(translation={}), contents, 'a.bundle')
