"""Rows in order, each run once, streams from their own rows, the numbers right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_run import TOOLS, load_tool

from mmsign.errors import ConfigError
from mmsign.toy.corpus import invent_sentences, write_corpus

FOLDER = TOOLS.parent / 'configs' / 'ablation' / 'toy'
ROWS = [
    '1_video',
    '2_keypoint',
    '3_late_average',
    '4_bilateral',
    '5_pyramid',
    '6_joint',
    '7_distillation',
]
PARTS = ('bilateral', 'pyramid', 'joint', 'distillation')


@pytest.fixture
def tool(python, monkeypatch):
    monkeypatch.setattr('sys.executable', python)
    return load_tool('analysis/ablation')


@pytest.mark.parametrize('corpus', ['toy', 'phoenix', 'csl'])
def test_each_row_adds_a_part(tool, corpus):
    from mmengine.config import Config

    rows = tool.find_rows(FOLDER.parent / corpus)
    assert [row.name for row in rows] == ROWS
    assert [row.streams for row in rows[:3]] == [
        ('video',),
        ('keypoint',),
        ('video', 'keypoint'),
    ]
    for count, row in enumerate(rows[2:]):
        model = Config.fromfile(row.config).model
        assert [part for part in PARTS if model.get(part)] == list(PARTS[:count])


class Tools:
    """Notes what is run, and writes what the tools would."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.commands: list[list[str]] = []
        self.fail_at = fail_at

    def __call__(self, command, log: Path) -> None:
        if len(self.commands) == self.fail_at:
            raise ConfigError('the power failed')
        self.commands.append(list(command))
        row = Path(command[1]).stem
        if command[0] == 'tools/train.py':
            work_dir = Path(command[command.index('--work-dir') + 1])
            (work_dir / 'best_average_WER_epoch_2.pth').touch()
            return
        out = Path(command[command.index('--out') + 1])
        seed = int(out.parents[1].name.removeprefix('seed'))
        wer = 40.0 - ROWS.index(row) + seed
        out.write_text(json.dumps({'average/WER': wer, 'video/WER': 50.0}))


def test_resumed_where_it_stopped(tool, tmp_path):
    arguments = [str(FOLDER), '--out', str(tmp_path), '--seeds', '0', '2']
    arguments += ['--amp', '--cfg-options', 'data_root=/toy']
    first = Tools(fail_at=7)
    with pytest.raises(ConfigError, match='power'):
        tool.main(arguments, first)
    second = Tools()
    tool.main(arguments, second)
    commands = first.commands + second.commands
    assert len(commands) == 2 * 2 * 7  # nothing is run twice
    trained = [c for c in commands if c[0] == 'tools/train.py']
    assert [Path(c[1]).stem for c in trained] == ROWS * 2
    options = trained[9][trained[9].index('--cfg-options') + 1 :]
    assert options == [
        'data_root=/toy',
        f'model.video.checkpoint={tmp_path}/seed2/1_video/best_average_WER_epoch_2.pth',
        'model.keypoint.checkpoint='
        f'{tmp_path}/seed2/2_keypoint/best_average_WER_epoch_2.pth',
    ]
    assert '--amp' in trained[0] and trained[9][trained[9].index('--seed') + 1] == '2'
    table = (tmp_path / 'table.md').read_text()
    # Seeds 0 and 2: 40 and 42, then 39 and 41.
    assert '| video | 50.00 ± 0.00 | – | – | 41.00 ± 1.41 | – | 2 |' in table
    assert '| keypoint | 50.00 ± 0.00 | – | – | 40.00 ± 1.41 | -1.00 | 2 |' in table
    assert (tmp_path / 'plot.png').stat().st_size > 5000


def test_faults_are_named(tool, tmp_path):
    for arguments, name in (
        ([tmp_path], str(tmp_path)),
        ([FOLDER, '--out', tmp_path, '--table-only'], str(tmp_path)),
        ([FOLDER, '--out', FOLDER], str(FOLDER)),
    ):
        with pytest.raises(ConfigError, match=name):
            tool.main(list(map(str, arguments)))
    with pytest.raises(ConfigError, match=r'train\.py .*log\.txt'):
        load_tool('analysis/_runs').run_tool(
            ['tools/train.py', 'absent.py'], tmp_path / 'log.txt'
        )


def test_runs_begin_in_the_folder_whose_corpus_is_meant(tool, tmp_path, monkeypatch):
    (tmp_path / 'where.py').write_text('import os; print(os.getcwd())')
    monkeypatch.chdir(tmp_path)
    load_tool('analysis/_runs').run_tool([str(tmp_path / 'where.py')], Path('log.txt'))
    assert Path('log.txt').read_text().strip() == str(tmp_path.resolve())


def test_one_row_of_a_tiny_corpus(tool, tmp_path):
    corpus = tmp_path / 'corpus'
    sentences = invent_sentences(dict(train=2, dev=1, test=1), 0, seed=0)
    write_corpus(corpus, sentences, 'phoenix2014T', (42, 52), seed=0, workers=1)
    row = tmp_path / 'rows' / '1_keypoint.py'
    row.parent.mkdir()
    row.write_text(f"_base_ = ['{FOLDER}/2_keypoint.py']\n")
    tool.main(
        [str(row.parent), '--seeds', '5', '--out', str(tmp_path / 'out')]
        + ['--cfg-options', f'data_root={corpus}', 'train_cfg.max_epochs=1']
        + ['model.keypoint.backbone.width=0.125', 'train_dataloader.num_workers=0']
        + ['val_dataloader.num_workers=0', 'test_dataloader.num_workers=0']
        + ['train_dataloader.batch_size=2', 'train_dataloader.sampler.batch_size=2']
        + ['train_cfg.val_interval=1']
    )
    table = (tmp_path / 'out' / 'table.md').read_text().splitlines()
    assert table[2].startswith('| keypoint | – | ') and table[2].endswith('| 1 |')
