"""Count lines of code, without blank lines, comments and docstrings.

    python tools/count_code.py [FOLDER]

Prints lines and files of each folder in FOLDER (default: mmsign), and of all.
"""

from __future__ import annotations

import argparse
import ast
import tokenize
from collections import Counter
from pathlib import Path

NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.ENCODING,
}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_lines(path: Path) -> int:
    """Lines of a Python file that hold code."""
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            docstrings.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines: set[int] = set()
    with path.open('rb') as file:
        for token in tokenize.tokenize(file.readline):
            if token.type not in NO_CODE:
                lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder', nargs='?', type=Path, default=Path('mmsign'))
    folder = parser.parse_args(arguments).folder
    lines, files = Counter(), Counter()
    for path in folder.rglob('*.py'):
        room = path.relative_to(folder).parts[0]
        lines[room] += code_lines(path)
        files[room] += 1
    for room, count in sorted(lines.items()):
        print(f'{count:6,} lines {files[room]:4} files  {room}')
    print(f'{lines.total():6,} lines {files.total():4} files')


if __name__ == '__main__':
    main()
