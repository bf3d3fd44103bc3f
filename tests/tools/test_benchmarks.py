"""Benchmarks at sizes that say nothing: their ratios are of what they print."""

from __future__ import annotations

import argparse
import json
import os
import re
import runpy
import subprocess
import sys

import pytest
import torch
from tiny_models import HEAD, s3d, single_stream
from tiny_run import TOOLS, load_tool

from mmsign.compat import has_triton

LITTLE = ['--clips', '2', '--frames', '4', '--workers', '0', '--repeats', '1']
SMALL = ['--frames=4', '--size=64', '--width=0.125', '--repeats=1']
# Script, its options, ratio → (above, below) as they are printed.
RUNS = {
    'heatmaps': (
        ['--frames=2', '--keypoints=3', '--repeats=1'],
        {
            'ratio per pixel / separable': (
                'per pixel + resize, ms/frame',
                'separable float32, ms/frame',
            ),
            'ratio separable / filling': (
                'separable float32, ms/frame',
                'filling the float32 tensor, ms/frame',
            ),
            'ratio separable bfloat16 / filling': (
                'separable bfloat16, ms/frame',
                'filling the bfloat16 tensor, ms/frame',
            ),
        },
    ),
    'inference': (
        SMALL,
        {
            'ratio network alone': (
                'fast, network alone, frames/s',
                'baseline, network alone, frames/s',
            ),
            'ratio separable / full connections': (
                'fast and separable, network alone, frames/s',
                'fast, network alone, frames/s',
            ),
        },
    ),
    'training_step': (
        SMALL,
        {
            'ratio training step plain / fast': (
                'training step plain, s',
                'training step fast, s',
            ),
            'ratio forward plain / fast': ('forward plain, s', 'forward fast, s'),
        },
    ),
    'layers': (
        ['--frames=4', '--size=32', '--width=0.125', '--repeats=1'],
        {
            f'ratio {what}': (f'{what}, PyTorch, s', f'{what}, mmsign, s')
            for what in ('forward', 'step')
        },
    ),
    'decoding': (
        ['--steps=6', '--classes=8', '--clips=2', '--repeats=1', '--beam-width=3'],
        {
            f'{kind}, ratio straightforward / one clip': (
                f'{kind}, straightforward, ms/clip',
                f'{kind}, one clip, ms/clip',
            )
            for kind in ('peaky', 'flat')
        },
    ),
}


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a script of the folder; what it prints with ``--json``."""
    monkeypatch.syspath_prepend(TOOLS / 'benchmark')
    threads = torch.get_num_threads()

    def run(name: str, options: list[str]) -> dict:
        script = str(TOOLS / 'benchmark' / f'{name}.py')
        monkeypatch.setattr('sys.argv', [script, '--json', *options])
        runpy.run_path(script, run_name='__main__')
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    yield run
    torch.set_num_threads(threads)


@pytest.mark.parametrize('name', RUNS)
def test_ratios_are_of_what_is_printed(name, run):
    options, ratios = RUNS[name]
    found = run(name, options)
    for ratio, (above, below) in ratios.items():
        assert found[ratio] == pytest.approx(found[above] / found[below]), ratio
    for key, value in found.items():
        if 'difference' in key:
            assert value < 0.01, key


def test_a_tenth_of_the_padding_is_left_by_length(run):
    found = run('padding', [])
    at_random = found['padding drawn at random, %']
    shares = [v for k, v in found.items() if k.startswith('padding by length')]
    assert len(shares) == 3 and sorted(shares, reverse=True) == shares
    assert shares[-1] < at_random / 10


def test_evaluation_counts_every_clip(run):
    found = run('evaluation', ['--clips=10', '--steps=12', '--classes=30'])
    assert found['clips'] == 10 and found['reference words'] > 0
    parts = found['decoding, s'] + found['word error rates, s']
    assert found['together, s'] == pytest.approx(parts)


@pytest.mark.slow
def test_one_checkout_against_itself(python):
    sizes = ['--networks=toy', '--what=inference', '--dtypes=float32']
    done = subprocess.run(
        [python, TOOLS / 'benchmark' / 'compare.py', TOOLS.parent]
        + [*sizes, '--frames=8', '--rounds=3'],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    row = [cell.strip() for cell in done.stdout.splitlines()[-1].split('|')[1:-1]]
    assert row[:3] == ['toy', 'float32', 'inference']
    for old, new, ratio in (row[3:6], row[6:9]):
        assert float(old) > 0 < float(new)
        middle, low, high, fastest = map(float, re.findall(r'[\d.]+', ratio))
        assert low <= middle <= high and fastest > 0


def test_recipes_beside_each_other(monkeypatch, capsys):
    monkeypatch.syspath_prepend(TOOLS / 'benchmark')
    sizes = ['--frames=16', '--long=16', '--size=32', '--repeats=1']
    names = ['recipes/vac_slr_toy', 'recipes/corrnet_slr_toy']
    monkeypatch.setattr('sys.argv', ['recipes.py', *sizes, *names])
    path = list(sys.path)
    runpy.run_path(str(TOOLS / 'benchmark' / 'recipes.py'), run_name='__main__')
    monkeypatch.setattr('sys.path', path)
    lines = capsys.readouterr().out.splitlines()
    plain, correlated = ([c.strip() for c in x.split('|')[1:-1]] for x in lines[-2:])
    assert [plain[0], correlated[0]] == [f'`{name}`' for name in names]
    for less, more in zip(plain[1:4], correlated[1:4]):
        assert less == more == '–' or float(less) <= float(more)
    assert 0 < float(plain[1]) < float(correlated[1])
    assert all(float(cell) > 0 for row in (plain, correlated) for cell in row[4:])


@pytest.mark.slow
def test_translation(run):
    sizes = ['--sentences=2', '--steps=4', '--beam-width=2', '--batch-size=2']
    sizes += ['--frames=8', '--size=32', '--memory-vocabulary=100']
    sizes += ['--memory-steps=4', '--memory-tokens=3']
    found = run('translation', sizes)
    for tokens in (15, 60):
        assert found[f'{tokens} tokens, ms per sentence and token'] > 0
    assert found['ratio frames / features'] == pytest.approx(
        found['from frames, ms per clip'] / found['from features, ms per clip']
    )
    # mBART-large without its embedding of 250,027 ids: 611 - 256 million.
    assert found['parameters, millions'] == pytest.approx(354.8, abs=0.5)
    assert found['together, GiB'] > found['weights, gradients, Adam, GiB'] > 5


@pytest.mark.slow
def test_one_process_and_two(python):
    sizes = ['--frames=8', '--size=32', '--width=0.125', '--repeats=1']
    done = subprocess.run(
        [python, TOOLS / 'benchmark' / 'processes.py', '--json', *sizes],
        # Threads that wait do not keep the others from the cores.
        env=os.environ | dict(PYTHONPATH=str(TOOLS.parent), OMP_WAIT_POLICY='passive'),
        stdout=subprocess.PIPE,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found['ratio of throughput'] == pytest.approx(
        found['2 processes, clips/s together'] / found['one process, clips/s']
    )
    assert found['gradients exchanged in a step, MB'] > 0


def test_the_baseline_gets_the_same_input(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS / 'benchmark')
    from _clips import batch
    from _plain import preprocess_per_pixel
    from training_step import network

    args = argparse.Namespace(
        width=0.125, size=64, frames=17, batch_size=2, checkpointing=False
    )
    net = network(args)
    data = batch(args)
    data['data_samples'][1].set_metainfo(dict(crop_box=(11.0, 17.0, 190.0, 201.0)))
    ours = net.data_preprocessor(data, True)['inputs']
    plain = preprocess_per_pixel(net, data, True)['inputs']
    assert ours.keys() == plain.keys()
    assert torch.equal(ours['video'], plain['video'])
    # One is resized after it is drawn, the other drawn through the resizing.
    torch.testing.assert_close(ours['heatmaps'], plain['heatmaps'], atol=0.02, rtol=0)
    assert ours['heatmaps'].std() > 0.1


def test_a_benchmark_becomes_a_table(python, monkeypatch, capsys):
    tool = load_tool('benchmark/run_all')
    monkeypatch.setattr('sys.executable', python)
    monkeypatch.setattr(tool, 'COMMANDS', dict(loading=LITTLE, decoding=[]))
    monkeypatch.setattr('sys.argv', ['run_all.py', 'loading'])
    tool.main()
    said = capsys.readouterr().out
    assert '`python tools/benchmark/loading.py --clips 2 --frames 4' in said
    assert '| what | value |' in said and 'torch' in said


def test_unknown_and_failed_benchmarks(python, monkeypatch, capsys):
    tool = load_tool('benchmark/run_all')
    monkeypatch.setattr('sys.executable', python)
    monkeypatch.setattr('sys.argv', ['run_all.py', 'singing'])
    with pytest.raises(SystemExit):
        tool.main()
    assert 'no benchmark singing' in capsys.readouterr().err
    monkeypatch.setattr(tool, 'COMMANDS', dict(loading=['--clips', 'many']))
    monkeypatch.setattr('sys.argv', ['run_all.py', 'loading'])
    with pytest.raises(SystemExit, match='failed: loading'):
        tool.main()


@pytest.fixture
def memory_tool(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS / 'benchmark')
    import memory

    if not memory.can_count():
        with pytest.raises(SystemExit):
            monkeypatch.setattr('sys.argv', ['memory.py'])
            memory.main()
        pytest.skip('this torch does not tell when memory is let go')
    return memory


@pytest.fixture
def traffic_tool(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS / 'benchmark')
    import traffic

    return traffic


def test_counts_what_is_read_and_written(traffic_tool):
    with traffic_tool.Traffic() as traffic:
        a = torch.ones(256)  # 1 KiB
        b = a[:128] + a[128:]
        b.mul_(a[0])
    assert traffic.bytes['aten::ones'] == 1024
    assert traffic.bytes['aten::add.Tensor'] == 3 * 512
    assert traffic.bytes['aten::mul_.Tensor'] == 512 + 4
    assert traffic.calls.total() == 3


@pytest.mark.slow
@pytest.mark.skipif(not has_triton(), reason='needs Triton')
def test_kernels_of_our_own_move_less(traffic_tool, monkeypatch, capsys):
    # Shapes alone, which cost nothing.
    monkeypatch.setattr('sys.argv', ['traffic.py', '--json'])
    traffic_tool.main()
    found = json.loads(capsys.readouterr().out)
    assert found["ratio read and written, ours / PyTorch's"] < 0.9
    assert any(name.startswith('norm._normalise, 1') for name in found)


def test_counts_what_is_held_at_once(memory_tool):
    with memory_tool.HeldMemory() as memory:
        a = torch.zeros(256)  # 1 KiB
        b = a + 1
        view = b[:4]  # of the same storage
        del b
        assert memory.held == 2048
        c = torch.zeros(1024)
        del c, a
        assert memory.held == 1024
        del view
    assert memory.held == 0
    assert memory.peak == 2048 + 4096


def test_counts_what_the_backward_pass_keeps(memory_tool):
    weight = torch.zeros(64, 64, requires_grad=True)  # made before: not counted
    with memory_tool.HeldMemory() as memory:
        hidden = torch.zeros(64, 64) @ weight
        y = hidden.tanh()
        del hidden
        # The input for the weight's gradient, and the output of tanh.
        assert memory.held == 2 * 4 * 64 * 64
        del y
        assert memory.held == 0


@pytest.mark.slow
def test_checkpointing_and_bfloat16_take_less(memory_tool, monkeypatch, capsys):
    def one_stream(args) -> torch.nn.Module:
        """What the second stream takes is alike, and takes as long to count."""
        backbone = s3d(3, with_cp=args.checkpointing)
        sizes = dict(video_size=args.size, heatmap_size=args.size)
        return single_stream(
            'video',
            vocab=dict(glosses=[f'G{index}' for index in range(10)]),
            data_preprocessor=sizes,
            video=dict(backbone=backbone, head=dict(HEAD)),
        )

    monkeypatch.setattr(memory_tool, 'network', one_stream)
    sizes = ['--frames=64', '--long=128', '--size=96']
    monkeypatch.setattr('sys.argv', ['memory.py', '--json', *sizes])
    memory_tool.main()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    plain = found['float32, 64 frames, GiB']
    low = found['bfloat16, 64 frames, GiB']
    assert found['ratio bfloat16 / float32'] == pytest.approx(low / plain)
    checkpointed = found['bfloat16, checkpointing, 64 frames, GiB']
    long = found['bfloat16, checkpointing, long, 128 frames, GiB']
    ratio = found['ratio bfloat16, checkpointing / float32']
    assert ratio == pytest.approx(checkpointed / plain)
    assert checkpointed < low < plain
    assert checkpointed < long < 2 * checkpointed
