"""The commands of README and docs: run where they are marked, checked elsewhere.

A block after ``<!-- run -->`` is run; of the others every command must name a tool
that exists and that another test runs, options that it has and configs that are there.
Python is run everywhere, with stand-ins for what a page takes for granted.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_frames import write_frames
from tiny_network import keypoints_of, write_network
from tiny_video import write_video

from mmsign import cli
from mmsign.apis import open_network, write_bundle
from mmsign.config import find_config
from mmsign.datasets import KeypointFile
from mmsign.registry import MODELS
from mmsign.structures import SignDataSample
from mmsign.toy.corpus import invent_sentences, write_corpus

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / 'README.md',
    ROOT / 'CONTRIBUTING.md',
    ROOT / 'RESULTS.md',
    *sorted((ROOT / 'docs').glob('*.md')),
]
BLOCK = re.compile(r'(<!-- run -->\n)?^```(\w+)\n(.*?)^```', re.DOTALL | re.MULTILINE)
COMMON = ROOT / 'mmsign' / 'engine' / 'launch' / 'preparation.py'
# What makes the walk-through's training short; --cfg-options may come twice.
SHORT = (
    '--cfg-options model.video.backbone.width=0.125 train_cfg.max_epochs=1 '
    'model.keypoint.backbone.width=0.125 train_dataloader.batch_size=2 '
    'train_dataloader.sampler.batch_size=2 train_dataloader.num_workers=0 '
    'val_dataloader.num_workers=0 test_dataloader.num_workers=0'
)
# A tiny network wherever the config is named; all else is run as it stands.
PYTHON = """#!/bin/sh
case "$1" in
    tools/train.py | tools/test.py | tools/export/bundle.py)
        exec {warm} "$@" {short} ;;
    tools/* | block.py)
        exec {warm} "$@" ;;
esac
exec {python} "$@"
"""


def blocks(page: Path, language: str) -> list[tuple[bool, str]]:
    """(is to be run, text) of a page's fenced blocks."""
    found = BLOCK.findall(page.read_text(encoding='utf-8'))
    return [(bool(run), text) for run, kind, text in found if kind == language]


def commands(page: Path) -> list[list[str]]:
    """Words of each command of a page's shell blocks that calls a tool."""
    found = []
    for _, text in blocks(page, 'bash'):
        text = re.sub(r"<<'(\w+)'\n.*?^\1$", '', text, flags=re.DOTALL | re.MULTILINE)
        for line in text.replace('\\\n', ' ').splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ['mmsign']:
                name, rest = cli.find(words[1:])
                words = [f'tools/{cli.COMMANDS[name][0]}', *rest]
                if name in ('train', 'test', 'describe'):
                    find_config(rest[0])
            if any(word.startswith('tools/') for word in words):
                found.append(words)
    return found


def sources(tool: Path) -> str:
    """All text in which a tool's options may be."""
    text = tool.read_text(encoding='utf-8')
    for name in re.findall(r'^from (_\w+) import', text, re.MULTILINE):
        if (tool.parent / f'{name}.py').is_file():
            text += (tool.parent / f'{name}.py').read_text(encoding='utf-8')
    for name in re.findall(r'tools/(\w+\.py)', text) if tool.suffix == '.sh' else ():
        text += sources(ROOT / 'tools' / name)
    if tool.suffix == '.sh' and '_launch.sh' in text:
        text += sources(ROOT / 'tools' / f'{tool.stem.split("_")[-1]}.py')
    if 'add_common_arguments' in text:
        text += COMMON.read_text(encoding='utf-8')
    return text


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_commands_name_what_exists(page):
    for words in commands(page):
        tool = next(word for word in words if word.startswith('tools/'))
        assert (ROOT / tool).is_file(), f'{page.name}: no {tool}'
        text = sources(ROOT / tool)
        for word in words[words.index(tool) :]:
            if word.startswith('--'):
                option = word.partition('=')[0]
                known = re.search(rf'(?<![\w-]){re.escape(option)}(?![\w-])', text)
                assert known, f'{page.name}: {tool} has no {option}'
            if word.startswith('configs/'):
                # A loop's variable may stand for any part of the name.
                pattern = re.sub(r'\$\{\w+\}', '*', word)
                assert list(ROOT.glob(pattern)), f'{page.name}: no {word}'


def test_every_tool_that_is_named_is_run_by_a_test():
    # Compiles for minutes, and needs the network.
    left_out = {'tools/install_pose.sh'}
    named = {w for page in PAGES for c in commands(page) for w in c if 'tools/' in w}
    tests = '\n'.join(
        path.read_text(encoding='utf-8')
        for path in (ROOT / 'tests').rglob('test_*.py')
        if path != Path(__file__)
    )
    for tool in sorted(named - left_out):
        name = tool.removeprefix('tools/').removesuffix('.py')
        ways = tool, f"'{name}'", f"'{Path(tool).name}'"
        assert any(way in tests for way in ways), f'no test runs {tool}'


@pytest.fixture(scope='module')
def given(tmp_path_factory) -> dict:
    """What the pages' Python takes for granted; its files are in ``folder``."""
    folder = tmp_path_factory.mktemp('docs')
    network = open_network(*write_network(folder / 'network'), device='cpu')
    for name in ('toy.bundle', 'work_dirs/quickstart/toy.bundle'):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_bundle(folder / name, network, 'for tests only')
    frames, points = write_video(folder / 'clip.mp4', 24), keypoints_of(24)
    write_frames(folder / 'frames' / 'clip-1', 24)
    persons = [
        dict(keypoints=pose[:, :2].tolist(), keypoint_scores=pose[:, 2].tolist())
        for pose in points
    ]
    instances = [dict(instances=[person]) for person in persons]
    (folder / 'clip.json').write_text(json.dumps(instances))
    meta = dict(clip_id='clip-1', length=8, crop_box=(0.0, 0.0, 64.0, 48.0))
    inputs = dict(
        video=[torch.zeros(3, 8, 32, 32, dtype=torch.uint8)],
        keypoints=[torch.zeros(8, 79, 3)],
    )
    return dict(
        folder=folder,
        clips=['clip-1'],
        estimate=lambda clip_id: points,
        frames=frames,
        source=list(zip(frames, points)),
        model=network.model,
        data=dict(inputs=inputs, data_samples=[SignDataSample(metainfo=meta)]),
        MODELS=MODELS,
        nn=torch.nn,
    )


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_python_runs(page, given, monkeypatch):
    monkeypatch.chdir(given['folder'])
    # The estimator itself needs weights from the network.
    monkeypatch.setattr('mmsign.pose.PoseEstimator', lambda: given['estimate'])
    # What other tests have registered would be in the way of the same names here.
    ours = {
        name: part
        for name, part in MODELS.module_dict.items()
        if part.__module__.startswith('mmsign.')
    }
    monkeypatch.setattr(MODELS, '_module_dict', ours)
    for is_run_elsewhere, text in blocks(page, 'python'):
        if not is_run_elsewhere:
            exec(compile(text, page.name, 'exec'), dict(given))


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for link in re.findall(r'\]\(([\w./-]+\.\w+)\)', page.read_text(encoding='utf-8')):
        assert (page.parent / link).exists(), f'{page.name}: {link}'


def test_sections_that_are_pointed_to_exist():
    sources = [*PAGES, *(ROOT / 'mmsign').rglob('*.py')]
    pointers = re.compile(r'(\w+)\.md#([\w-]+)')
    found = {p for s in sources for p in pointers.findall(s.read_text('utf-8'))}
    assert len(found) > 5
    for page, section in found:
        at = ROOT if page.isupper() else ROOT / 'docs'
        text = (at / f'{page}.md').read_text('utf-8')
        titles = re.findall(r'^#+ (.*)', text, re.MULTILINE)
        anchors = [re.sub(r'[^\w -]', '', t).lower().replace(' ', '-') for t in titles]
        assert section in anchors, f'{page}.md has no section {section}'


def walk_through(name: str, python: str, folder: Path, short: str, count: int) -> None:
    """Run the marked blocks of a page in a folder, as if it were the checkout's."""
    for part in ('configs', 'tools'):
        (folder / part).symlink_to(ROOT / part)
    shims = folder / 'bin'
    shims.mkdir()
    shim = shims / 'python'
    shim.write_text(PYTHON.format(warm=python, python=sys.executable, short=short))
    shim.chmod(0o755)
    environment = os.environ | dict(
        OMP_NUM_THREADS='1',
        PYTHONPATH=str(ROOT),
        PATH=f'{shims}{os.pathsep}{os.environ["PATH"]}',
    )
    page = (ROOT / 'docs' / name).read_text(encoding='utf-8')
    marked = [(kind, text) for run, kind, text in BLOCK.findall(page) if run]
    assert len(marked) == count
    for kind, text in marked:
        if kind == 'python':
            (folder / 'block.py').write_text(text, encoding='utf-8')
            text = 'python block.py'
        done = subprocess.run(
            ['bash', '-euo', 'pipefail', '-c', text],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f'{text}\n{done.stdout[-3000:]}'


@pytest.mark.slow
def test_the_walk_through_of_landmarks(python, tmp_path):
    short = (
        '--cfg-options max_epochs=1 train_dataloader.sampler.at_least=8 '
        'train_dataloader.num_workers=0 val_dataloader.num_workers=0 '
        'test_dataloader.num_workers=0'
    )
    walk_through('landmarks.md', python, tmp_path, short, 6)
    data = tmp_path / 'data'
    signs = KeypointFile(data / 'signs' / 'keypoints.safetensors')
    assert signs.read('car/3').shape == (24, 79, 3)
    spliced = KeypointFile(data / 'spliced' / 'keypoints.safetensors')
    assert len(spliced.clip_ids) == 50
    # Hands that were not found are nowhere, also where signs are joined.
    whole = np.concatenate([spliced.read(name) for name in spliced.clip_ids])
    assert set(map(tuple, whole[:, 16].tolist())) == {(-640, -480, 0)}
    tracked = KeypointFile(data / 'tracked' / 'keypoints.safetensors').read('0')
    assert np.flatnonzero(tracked[..., 2].any(0)).tolist() == [68, 77, 78]


@pytest.mark.slow
def test_the_walk_through_of_an_own_corpus(python, tmp_path):
    sentences = invent_sentences(dict(train=4, dev=1, test=1), 0, seed=0)
    toy = tmp_path / 'data' / 'toy'
    toy.mkdir(parents=True)
    write_corpus(toy, sentences, 'phoenix2014T', (42, 52), seed=0, workers=1)
    walk_through('own_corpus.md', python, tmp_path, SHORT, 7)
    assert (tmp_path / 'mine.bundle').stat().st_size > 100_000
    written = (tmp_path / 'test-00000.eaf').read_text(encoding='utf-8')
    assert './data/recordings/test-00000.mp4' in written
    manifest = (tmp_path / 'data/mine/manifest.csv').read_text(encoding='utf-8')
    assert manifest.count('\n') == 1 + 6 and ',dev,' in manifest
    assert (tmp_path / 'curves.png').stat().st_size > 10_000
    assert 'test-00000' in (tmp_path / 'report.html').read_text(encoding='utf-8')
    pictures = [path.name for path in (tmp_path / 'work_dirs/mine/pictures').iterdir()]
    assert len(pictures) == 1 and pictures[0].startswith('test-00000-0000000-')


def test_tests_that_are_named_exist():
    for page in PAGES:
        named = re.findall(r'`(tests/[\w/]+\.py)::(\w+)`', page.read_text('utf-8'))
        for path, name in named:
            assert f'def {name}(' in (ROOT / path).read_text('utf-8'), (page, name)
