"""No tool writes over what it reads, by whatever name: it stops before it begins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tiny_run import load_tool

from mmsign.errors import ConfigError

# What each tool is given; the last is the output, and an input as well.
COMMANDS = [
    'analysis/ablation rows --out rows',
    'analysis/plot_log scalars.json --out scalars.json',
    'analysis/report a.jsonl --compare b.html b.html',
    'analysis/report a.jsonl b.jsonl',  # a forgotten --compare
    'convert/keypoints a.safetensors b.safetensors b.safetensors',
    'convert/keypoints clip.json other.json',  # a forgotten output
    'convert/prune_mbart mbart corpus mbart',
    'convert/slrt_checkpoint theirs.pth theirs.pth',
    'convert/slrt_checkpoint theirs.pth --vocab glosses.txt glosses.txt',
    'data/convert_landmarks --frame-size 9x9 points.json points.json',
    'data/extract_keypoints clip.mp4 clip.mp4',
    'data/prepare folder . --vocab manifest.csv',
    'export/bundle tiny.py tiny.pth tiny.pth',
    'export/bundle tiny.py tiny.pth tiny.py',
    'export/onnx tiny.py tiny.pth tiny.pth',
    'export/web tiny.bundle tiny.bundle',
    'infer clip.mp4 --bundle tiny.bundle --out clip.mp4',
    'infer clip.mp4 --bundle tiny.bundle --keypoints k.json --out k.json',
    'infer frames --bundle tiny.bundle --out frames/1.png',
    'score export a.jsonl a.jsonl',
]


@pytest.mark.parametrize('command', COMMANDS)
@pytest.mark.parametrize('spelling', ['as it is', 'another', 'link'])
def test_no_input_is_written_over(command, spelling, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tool, *arguments = command.split()
    if tool in ('export/onnx', 'export/web'):
        pytest.importorskip('onnxruntime')
    for folder in ('mbart', 'corpus', 'rows', 'frames'):
        os.mkdir(folder)
        Path(folder, '1.png').write_text('1.png')
    files = [name for name in arguments if Path(name).suffix and '/' not in name]
    for name in files:
        Path(name).write_text(name)
    output = arguments.pop()
    if spelling == 'another':
        output = f'corpus/../{output}'
    if spelling == 'link':
        os.symlink('.', 'here')
        output = f'here/{output}'
    with pytest.raises((ConfigError, SystemExit)) as caught:
        load_tool(tool).main([*arguments, output])
    said = f'{caught.value} {capsys.readouterr().err}'
    assert Path(output).name in said
    assert all(Path(name).read_text() == name for name in files)
    for folder in ('mbart', 'corpus', 'rows', 'frames'):
        assert os.listdir(folder) == ['1.png']
        assert Path(folder, '1.png').read_text() == '1.png'
