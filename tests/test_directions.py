"""Imports run one way: docs/architecture.md."""

import ast
from pathlib import Path

import pytest

import mmsign

PACKAGE = Path(mmsign.__file__).resolve().parent
FILES = {
    '.'.join(path.relative_to(PACKAGE.parent).with_suffix('').parts): path
    for path in sorted(PACKAGE.rglob('*.py'))
}
# What a room may not import.
ABOVE = dict(
    decoding=('datasets', 'models', 'interop', 'visualization', 'engine', 'apis'),
    evaluation=('datasets', 'models', 'visualization', 'engine', 'apis'),
    datasets=('models', 'visualization', 'engine', 'apis', 'pose', 'toy'),
    models=('datasets', 'interop', 'visualization', 'engine', 'apis', 'pose', 'toy'),
    visualization=('models', 'engine', 'apis', 'toy', 'pose'),
    interop=('datasets', 'engine', 'apis', 'visualization', 'pose', 'toy'),
    pose=('engine', 'apis', 'visualization', 'toy'),
    toy=('models', 'engine', 'apis', 'visualization', 'pose'),
    engine=('apis', 'toy', 'pose', 'web'),
    apis=('engine', 'toy', 'web'),
    web=('engine', 'toy', 'pose', 'visualization'),
    compat=('datasets', 'models', 'engine', 'apis', 'decoding', 'evaluation'),
)


def imports_of(module: str) -> set[str]:
    """Modules of the package that one imports, wherever in it."""
    path = FILES[module]
    here = module.split('.')
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            depth = node.level - (path.name == '__init__.py')
            start = here[: len(here) - depth] if node.level else []
            source = '.'.join([*start, *([node.module] if node.module else [])])
            names = [f'{source}.{alias.name}' for alias in node.names] + [source]
        for name in names:
            found |= {m for m in (name, f'{name}.__init__') if m in FILES}
    return found - {module}


@pytest.mark.parametrize('room', ABOVE)
def test_imports_run_one_way(room):
    for module in FILES:
        if module.startswith(f'mmsign.{room}.'):
            rooms = {name.split('.')[1] for name in imports_of(module)}
            assert not rooms & set(ABOVE[room]), module


def test_there_is_no_circle():
    # A package's __init__ is its face, imported for what it shows.
    edges = {
        module: {name for name in imports_of(module) if not name.endswith('__init__')}
        for module in FILES
        if not module.endswith('__init__')
    }
    done: set[str] = set()

    def walk(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, ' → '.join([*way, module])
        if module not in done:
            for other in sorted(edges.get(module, ())):
                walk(other, (*way, module))
            done.add(module)

    for module in edges:
        walk(module, ())
