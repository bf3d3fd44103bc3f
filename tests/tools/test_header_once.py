"""``tools/_header_once.sh`` with the GCC that is there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / 'tools' / '_header_once.sh'
GCC = shutil.which('g++')
FLAGS = ['-std=c++17', '-DVALUE=2', '-fPIC', '-g0']


@pytest.fixture
def compiler(tmp_path):
    """Run it in a folder with a header and the sources a.cpp and b.cpp."""
    version = GCC and subprocess.run([GCC, '--version'], capture_output=True, text=True)
    if not version or 'Free Software Foundation' not in version.stdout:
        pytest.skip('needs GCC')
    header = tmp_path / 'common.hpp'
    header.write_text('#include <cstddef>\ninline int two() { return VALUE; }\n')
    for name in 'ab':
        text = f'#include "common.hpp"\nint {name}() {{ return two(); }}\n'
        (tmp_path / f'{name}.cpp').write_text(text)
    variables = dict(os.environ, HEADER_ONCE=str(header), COMPILER_ONCE=GCC)

    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ['bash', str(SCRIPT), *arguments],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
        )

    return run


def test_the_header_is_compiled_once_and_used(compiler, tmp_path):
    for name in 'ab':
        # -H lists the headers that are read, a compiled one with a mark.
        options = ['-H', '-MMD', '-MF', f'{name}.d', *FLAGS]
        done = compiler(*options, '-c', f'{name}.cpp', '-o', f'{name}.o')
        assert done.returncode == 0, done.stderr
        assert '! common.hpp.gch' in done.stderr or '! ./common.hpp.gch' in done.stderr
        assert (tmp_path / f'{name}.o').is_file()
    made = (tmp_path / 'common.hpp.gch').stat().st_mtime_ns
    assert compiler(*FLAGS, '-c', 'a.cpp', '-o', 'c.o').returncode == 0
    assert (tmp_path / 'common.hpp.gch').stat().st_mtime_ns == made
    assert compiler('-shared', 'a.o', 'b.o', '-o', 'both.so').returncode == 0


def test_errors_are_the_compilers(compiler, tmp_path):
    (tmp_path / 'common.hpp').write_text('no header at all\n')
    done = compiler('-c', 'a.cpp', '-o', 'a.o')
    assert done.returncode == 1 and 'error' in done.stderr
    assert not (tmp_path / 'common.hpp.gch').exists()
