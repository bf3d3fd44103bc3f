"""Each run once, whoever is left out, several at a time; the numbers right."""

from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path

import pytest
from tiny_run import TOOLS, load_tool

from mmsign.config import load_config
from mmsign.engine.launch import OverrideAction, apply_overrides
from mmsign.errors import ConfigError
from mmsign.registry import DATASETS

CONFIGS = TOOLS.parent / 'configs'
VIDEO, KEYPOINT, BOTH = (
    str(CONFIGS / f'{name}_slr_toy.py') for name in ('video', 'keypoint', 'twostream')
)

FOLDER = str(CONFIGS / 'keypoint_slr_folder.py')


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis/seeds')


def options_of(command: list[str]) -> dict:
    """What the tool would read of its ``--cfg-options``."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=OverrideAction)
    return vars(parser.parse_known_args(command[2:])[0])['cfg_options'] or {}


class Tools:
    """Notes what is run, and writes what the tools would."""

    def __init__(self, fail: str | None = None) -> None:
        self.commands: list[list[str]] = []
        self.trained: set[Path] = set()
        self.fail = fail
        self.lock = threading.Lock()

    def __call__(self, command, log: Path) -> None:
        with self.lock:
            self.commands.append(list(command))
        folder = Path(command[command.index('--work-dir') + 1])
        if command[0] == 'tools/train.py':
            if self.fail and self.fail in str(folder):
                raise ConfigError('the power failed')
            for name, value in options_of(command).items():
                if name.endswith('.checkpoint'):
                    assert Path(value).is_file()
            (folder / 'best_average_WER_epoch_2.pth').touch()
            return
        seed = int(folder.parents[1].name.removeprefix('seed'))
        metrics = {'average/WER': 10.0 + 2 * seed, 'average/accuracy@1': 90.0 - seed}
        out = Path(command[command.index('--out') + 1])
        out.write_text(json.dumps(metrics | {'average/accuracy@5': 99.0, 'x/WER': 1.0}))


def trained(tools: Tools) -> list[str]:
    commands = [c for c in tools.commands if c[0] == 'tools/train.py']
    return [c[c.index('--work-dir') + 1] for c in commands]


def test_seeds_of_configs_in_a_table(tool, tmp_path, phoenix_tree):
    arguments = [KEYPOINT, '--seeds', '2', '--out', str(tmp_path)]
    arguments += ['--cfg-options', f'data_root={phoenix_tree}']
    with pytest.raises(ConfigError, match='power'):
        tool.main(arguments, Tools('seed1'))
    tools = Tools()
    tool.main(arguments, tools)
    assert trained(tools) == [f'{tmp_path}/seed1/keypoint_slr_toy']
    head, _, row, *rest = (tmp_path / 'table.md').read_text().splitlines()
    names = [name.strip() for name in head.strip('|').split('|')]
    cells = [cell.strip() for cell in row.strip('|').split('|')]
    assert dict(zip(names[:3], cells)) == {
        'config': 'keypoint_slr_toy', 'runs': '2', 'WER': '11.00 ± 1.41'
    }  # fmt: skip
    assert cells[3:5] == ['10.00', '12.00'] and names[-1] == 'minutes'
    assert cells[5:8] == ['89.50 ± 0.71', '89.00', '90.00']
    # Everybody signs in every split of this corpus.
    assert '2 of 2 signers are in the training split too (Sa, Sb)' in rest[-1]
    results = json.loads((tmp_path / 'results.json').read_text())
    assert [run['seed'] for run in results['runs']] == [0, 1]
    assert results['runs'][1]['metrics']['average/WER'] == 12.0


@pytest.fixture
def folder(tmp_path):
    """Three signers in the training split, two of them in others as well."""
    rows = ['id,video,glosses,signer,split']
    for number, signer in enumerate('abcab'):
        split = dict([(3, 'dev'), (4, 'test')]).get(number, 'train')
        rows.append(f'{number},v,X,{signer},{split}')
    (tmp_path / 'manifest.csv').write_text('\n'.join(rows))
    return tmp_path


def test_numbers_of_other_options_are_no_results(tool, tmp_path, phoenix_tree):
    arguments = [KEYPOINT, '--seeds', '1', '--out', str(tmp_path), '--cfg-options']
    tool.main([*arguments, f'data_root={phoenix_tree}', 'max_epochs=2'], Tools())
    tool.main([*arguments, 'max_epochs=2', f'data_root={phoenix_tree}'], Tools())
    tools = Tools()
    with pytest.raises(ConfigError, match='max_epochs=2: name another folder'):
        tool.main([*arguments, f'data_root={phoenix_tree}', 'max_epochs=3'], tools)
    assert not tools.commands


def test_each_signer_is_left_out(tool, folder, tmp_path):
    arguments = [FOLDER, '--seeds', '1', '--out', str(tmp_path), '--leave-one-out']
    arguments += ['--cfg-options', f'data_root={folder}', 'signers.dev=b']
    tools = Tools()
    tool.main(arguments, tools)
    splits = {}
    for command in tools.commands:
        cfg = load_config(FOLDER)
        apply_overrides(cfg, options_of(command))
        signer = cfg.signers.test[0]
        for name in ('train', 'test'):
            given = cfg[f'{name}_dataloader'].dataset
            clips = DATASETS.build(given | dict(pipeline=[]))
            infos = [clips.get_data_info(index) for index in range(len(clips))]
            found = {info['signer'] for info in infos}
            assert splits.setdefault((signer, name), found) == found
        assert cfg.signers.dev == ([] if signer == 'b' else ['b'])
        assert f'signer_{signer}' in command[command.index('--work-dir') + 1]
    assert {key: ''.join(sorted(found)) for key, found in splits.items()} == {
        ('a', 'train'): 'c', ('a', 'test'): 'a',
        ('b', 'train'): 'ac', ('b', 'test'): 'b',
        ('c', 'train'): 'a', ('c', 'test'): 'c',
    }  # fmt: skip
    assert len(tools.commands) == 6
    table = (tmp_path / 'table.md').read_text()
    assert [line.split('|')[2].strip() for line in table.splitlines()[2:6]] == [
        'a', 'b', 'c', 'all'
    ]  # fmt: skip
    assert 'training split too' not in table


def test_several_at_a_time_and_streams_before_both(tool, tmp_path, phoenix_tree):
    tools = Tools()
    arguments = [BOTH, VIDEO, KEYPOINT, '--seeds', '2', '--jobs', '3']
    tool.main([*arguments, '--out', str(tmp_path)], tools)
    assert len(trained(tools)) == 6 == len(set(trained(tools)))
    both = [c for c in tools.commands if c[0] == 'tools/train.py' and c[1] == BOTH]
    for command in both:
        folder = Path(command[command.index('--work-dir') + 1]).parent
        given = options_of(command)
        for stream in ('video', 'keypoint'):
            start = Path(given[f'model.{stream}.checkpoint'])
            assert start.parent == folder / f'{stream}_slr_toy'
    with pytest.raises(ConfigError, match='power'):
        tool.main([*arguments, '--out', str(tmp_path / 'b')], Tools('video'))


def test_faults_are_named(tool, tmp_path):
    (tmp_path / 'manifest.csv').write_text('id,video,glosses,split\n1,v,X,train\n')
    root = f'data_root={tmp_path}'
    (tmp_path / 'keypoint_slr_toy.py').write_text(f'_base_ = [{KEYPOINT!r}]')
    for arguments, name in (
        ([KEYPOINT, '--seeds', '0'], '--seeds'),
        ([KEYPOINT, '--jobs', '0'], '--jobs'),
        ([KEYPOINT, str(tmp_path / 'keypoint_slr_toy.py')], '2 configs'),
        ([KEYPOINT, '--table-only', '--out', str(tmp_path)], str(tmp_path)),
        ([FOLDER, '--leave-one-out', '--cfg-options', root], '0 named signer'),
    ):
        with pytest.raises(ConfigError, match=name):
            tool.main(arguments, Tools())
