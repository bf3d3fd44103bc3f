"""The metafiles describe the configs that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config
from tiny_run import load_tool

import mmsign  # noqa: F401  registers the corpora

ROOT = Path(__file__).parents[2]
CORPORA = {
    'Phoenix2014Dataset': 'Phoenix-2014',
    'Phoenix2014SI5Dataset': 'Phoenix-2014 SI5',
    'Phoenix2014TDataset': 'Phoenix-2014T',
    'CSLDailyDataset': 'CSL-Daily',
    'SignFolderDataset': 'your own clips',
}


@pytest.fixture(scope='module')
def tool():
    return load_tool('configs')


@pytest.fixture(scope='module')
def models(tool) -> dict[str, dict]:
    return {model['Config']: model for model in tool.read_models()}


def test_every_config_has_one_entry(tool, models):
    there = {
        str(path.relative_to(ROOT))
        for path in (ROOT / 'configs').rglob('*.py')
        if '_base_' not in path.parts
    }
    assert set(models) == there
    assert len(tool.read_models()) == len(there)
    for config, model in models.items():
        assert config == f'configs/{model["Name"]}.py'


def test_every_entry_belongs_to_a_method():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text(encoding='utf-8'))
    files = {str(p.relative_to(ROOT)) for p in (ROOT / 'configs').rglob('*.yml')}
    assert files == set(index['Import'])
    for name in files:
        metafile = yaml.safe_load((ROOT / name).read_text(encoding='utf-8'))
        (method,) = metafile['Collections']
        assert (ROOT / method['README']).is_file()
        assert {m['In Collection'] for m in metafile['Models']} == {method['Name']}


def test_entries_say_what_the_configs_say(models):
    for config, model in models.items():
        cfg = Config.fromfile(ROOT / config)
        (result,) = model['Results']
        dataset = cfg.test_dataloader.dataset
        dataset = dataset.get('dataset', dataset)
        toy = dataset.data_root == 'data/toy'
        assert result['Dataset'] == ('toy corpus' if toy else CORPORA[dataset.type])
        evaluators = cfg.test_evaluator
        evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
        metric = 'WER' if result['Task'] == 'recognition' else 'BLEU-4'
        assert (metric == 'BLEU-4') == any('BLEU' in e.type for e in evaluators)
        assert (result['Task'] == 'gloss to text') == Path(config).name.startswith('g2')
        assert all(key.startswith(metric) for key in result['Metrics'])


def test_figures_are_those_of_the_configs_texts(models):
    compared = 0
    for config, model in models.items():
        text = ast.get_docstring(ast.parse((ROOT / config).read_text('utf-8'))) or ''
        metrics = model['Results'][0]['Metrics']
        found = re.search(
            r'(?:Paper|Published):\s+(?:BLEU-4\s+)?([\d.]+)(?: / ([\d.]+))?', text
        )
        if found is not None:
            figures = [float(figure) for figure in found.groups() if figure]
            assert list(metrics.values()) == figures, config
            assert list(metrics)[-1].endswith('(test)')
            compared += 1
        elif 'ablation' not in config:
            assert not metrics, config
    assert compared > 10


def test_the_last_row_of_the_ablation_is_the_whole_network(models):
    for corpus in ('phoenix', 'csl'):
        rows = '1_video', '2_keypoint', '7_distillation'
        for row, config in zip(rows, ('video', 'keypoint', 'twostream')):
            one = models[f'configs/ablation/{corpus}/{row}.py']
            other = models[f'configs/{config}_slr_{corpus}.py']
            assert one['Results'] == other['Results']


def test_the_list(tool, capsys):
    assert tool.main(['PHOENIX-2014t', 'translation']) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ['config', 'task', 'corpus', 'paper,']
    assert all('slt' in row and 'Phoenix-2014T' in row for row in rows)
    (row,) = [row for row in rows if row.startswith('ensemble')]
    assert row.endswith(' BLEU-4 – / 28.95')
    assert tool.main(['twostream_slr_csl']) == 0
    assert 'CSL-Daily  WER 25.44 / 25.33\n' in capsys.readouterr().out
    assert tool.main(['nothing like it']) == 1
    assert capsys.readouterr() == ('', 'no config with nothing like it\n')
