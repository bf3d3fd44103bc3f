from __future__ import annotations

import copy
import pickle

import pytest
from mmengine.config import Config

from mmsign import compat
from mmsign.config import find_config, load_config, resolve_vocabulary
from mmsign.errors import ConfigError
from mmsign.shipped import shipped


def test_config_files(tmp_path):
    with pytest.raises(ConfigError, match='nowhere.py'):
        load_config('nowhere.py')
    (tmp_path / 'model.pth').touch()
    with pytest.raises(ConfigError, match='is not a .py'):
        load_config(str(tmp_path / 'model.pth'))
    (tmp_path / 'good.py').write_text('x = 1')
    assert load_config(str(tmp_path / 'good.py')).x == 1


@pytest.mark.parametrize('name', ['twostream_slr_toy', 'ablation/toy/6_joint.py'])
def test_a_config_of_the_package_by_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = load_config(name)
    assert cfg.filename.startswith(str(shipped('configs')))
    assert cfg.model.joint.type == 'JointHead'
    # A file of the folder goes first.
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    assert find_config(name) == name


def test_a_name_that_is_misspelled():
    with pytest.raises(ConfigError, match='did you mean twostream_slr_toy'):
        load_config('twostream_slr_tey')
    # The folder is what is missing, though another name is as near.
    with pytest.raises(ConfigError, match='did you mean recipes/vac_slr_toy'):
        load_config('vac_slr_toy')


@pytest.mark.parametrize('text', ["x = {}['a']", 'x = (', 'x = {{_base_.a}}', '1/0'])
def test_a_config_that_fails_names_itself(text, tmp_path):
    (tmp_path / 'base.py').write_text('y = 1')
    (tmp_path / 'mine.py').write_text(f"_base_ = ['base.py']\n{text}\n")
    with pytest.raises(ConfigError, match='config .*mine.py.*Error: '):
        load_config(str(tmp_path / 'mine.py'))


def test_a_config_builds_on_one_of_the_package(tmp_path):
    file = tmp_path / 'mine.py'
    file.write_text("_base_ = ['mmsign::twostream_slr_toy']")
    mine, theirs = load_config(str(file)), load_config('twostream_slr_toy')
    assert mine.model.video == theirs.model.video
    file.write_text("_base_ = 'mmsign::twostream_slr_tey'")
    with pytest.raises(ConfigError, match='did you mean twostream_slr_toy'):
        load_config(str(file))
    file.write_text("_base_ = 'mmdeploy::a/b.py'")
    with pytest.raises(ConfigError, match='mmdeploy'):
        load_config(str(file))


def vocabulary_config(**vocab) -> Config:
    return Config({'model': {'vocab': vocab}})


def test_the_text_of_a_config_follows_it(tmp_path, monkeypatch):
    (tmp_path / 'a.py').write_text('model = dict(depth=3)\nrate = 1\n')
    cfg = load_config(str(tmp_path / 'a.py'))
    assert 'depth=3' in cfg.pretty_text
    cfg.model.depth, cfg.rate = 4, 2
    expected = Config(dict(model=dict(depth=4), rate=2)).pretty_text
    for found in (cfg, copy.deepcopy(cfg), copy.copy(cfg)):
        assert found.pretty_text == expected
    other = copy.deepcopy(cfg)
    other.rate = 5
    assert other.pretty_text != expected == cfg.pretty_text
    # Nothing is formatted where nothing has changed.
    monkeypatch.setattr(Config, 'pretty_text', property(lambda self: 'anew'))
    assert cfg.pretty_text == expected
    cfg.rate = 6
    assert cfg.pretty_text == 'anew'


def test_listed_glosses_stay():
    cfg = vocabulary_config(glosses=['B', 'A'])
    resolve_vocabulary(cfg, checkpoint='is not opened')
    assert cfg.model.vocab == {'glosses': ['B', 'A']}
    other = Config({'model': {'type': 'Recognizer3D'}})
    resolve_vocabulary(other)
    assert other.model == {'type': 'Recognizer3D'}


def test_a_vocabulary_file_is_written_into_the_config(tmp_path):
    file = tmp_path / 'glosses.txt'
    file.write_text('REGEN\nWÜRZBURG\n', encoding='utf-8')
    cfg = vocabulary_config(file=str(file))
    resolve_vocabulary(cfg)
    assert cfg.model.vocab == {'glosses': ['REGEN', 'WÜRZBURG']}
    assert Config.fromstring(cfg.pretty_text, '.py').model == cfg.model


def test_aliases_are_written_into_the_config(tmp_path):
    file = tmp_path / 'gloss2ids.pkl'
    file.write_bytes(pickle.dumps({'<s>': 0, 'nord': 1, 'norden': 1}))
    cfg = vocabulary_config(slrt_file=str(file))
    resolve_vocabulary(cfg)
    assert cfg.model.vocab == {'glosses': ['nord'], 'aliases': {'norden': 'nord'}}


def test_the_checkpoints_vocabulary_is_used_for_testing(tmp_path):
    checkpoint = tmp_path / 'a.pth'
    compat.write_checkpoint({'meta': {'gloss_vocab': ['X', 'Y']}}, checkpoint)
    cfg = vocabulary_config(dataset='Phoenix2014Dataset', data_root='/not/there')
    resolve_vocabulary(cfg, str(checkpoint))
    assert cfg.model.vocab == {'glosses': ['X', 'Y']}


def test_a_missing_corpus_is_named():
    cfg = vocabulary_config(dataset='Phoenix2014Dataset', data_root='/not/there')
    with pytest.raises(ConfigError, match='/not/there'):
        resolve_vocabulary(cfg)
