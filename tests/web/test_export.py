from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mmsign.errors import ConfigError
from mmsign.web import export, packages

PAGE = Path(export.__file__).with_name('page')


@pytest.fixture
def no_packages(monkeypatch):
    """Pages without what npm brings."""
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    monkeypatch.setattr(export, 'copy_packages', lambda folder, target: None)


def test_a_page_replaces_a_page_and_nothing_else(no_packages, point_network, tmp_path):
    folder = tmp_path / 'pages' / 'a'
    folder.mkdir(parents=True)
    (folder / 'thesis.tex').touch()
    with pytest.raises(ConfigError, match='other things in it'):
        export.write_page(folder, point_network, 'mine', Path())
    (folder / 'thesis.tex').unlink()
    for licence in ('mine', 'yours'):
        export.write_page(folder, point_network, licence, Path())
        written = json.loads((folder / 'network.json').read_text(encoding='utf-8'))
        assert written['licence'] == licence
    assert {'index.html', 'network.onnx', 'app.js'} <= {*map(str, names(folder))}
    assert [path.name for path in folder.parent.iterdir()] == ['a']


def names(folder: Path) -> list[Path]:
    return [path.relative_to(folder) for path in folder.rglob('*') if path.is_file()]


def test_a_graph_that_differs_is_not_written(
    no_packages, point_network, tmp_path, monkeypatch
):
    rows = [dict(difference=float('nan'))]
    monkeypatch.setattr(export, 'compare_onnx', lambda *_: rows)
    with pytest.raises(ConfigError, match='nothing is written'):
        export.write_page(tmp_path / 'a', point_network, 'mine', Path())
    assert not list(tmp_path.iterdir())


def test_the_page_names_only_what_lies_beside_it():
    texts = {p.name: p.read_text(encoding='utf-8') for p in PAGE.iterdir()}
    for name, text in texts.items():
        assert not re.search(r'https?://', text), name
        for module in re.findall(r"from '\./(.+?)'", text):
            assert module in texts, f'{name}: no {module}'
    policy = re.search(r'content="(default-src.+?)"', texts['index.html'])[1]
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy
    assert 'unsafe-inline' not in policy and "'unsafe-eval'" not in policy
    # Elements that the scripts ask for.
    ids = set(re.findall(r'id="(\w+)"', texts['index.html']))
    asked = {x for text in texts.values() for x in re.findall(r"get\('(\w+)'\)", text)}
    assert asked and asked <= ids


def test_both_languages_have_every_text():
    text = (PAGE / 'texts.js').read_text(encoding='utf-8')
    parts = text.split('const de = {')
    keys = [re.findall(r'^ +(\w+):', part, re.MULTILINE) for part in parts]
    german = [key for key in keys[1] if key in set(keys[0])]
    assert keys[0] == german and len(german) > 40
    html = (PAGE / 'index.html').read_text(encoding='utf-8')
    used = re.findall(r'data-(?:text|label)="(\w+)"', html)
    assert used and set(used) <= set(german)


def test_versions_are_locked():
    lock = json.loads(
        (Path(packages.__file__).parent / 'npm' / 'package-lock.json').read_text()
    )
    assert all(
        package['integrity'].startswith('sha512-') and package['license']
        for name, package in lock['packages'].items()
        if name
    )
