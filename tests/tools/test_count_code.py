from __future__ import annotations

from tiny_run import load_tool

tool = load_tool('count_code')

SOURCE = '''"""A docstring
of two lines."""

# A comment.
TEXT = """Text that is
no docstring"""


def f(  # three lines
    x,
):
    """Of one line."""

    return [
        x  # a comment
    ]
'''


def test_blank_lines_comments_and_docstrings_are_no_code(tmp_path, capsys):
    (tmp_path / 'room').mkdir()
    (tmp_path / 'room' / 'a.py').write_text(SOURCE)
    (tmp_path / 'b.py').write_text('x = 1\n')
    assert tool.code_lines(tmp_path / 'room' / 'a.py') == 8
    tool.main([str(tmp_path)])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ['1', 'lines', '1', 'files', 'b.py'],
        ['8', 'lines', '1', 'files', 'room'],
        ['9', 'lines', '2', 'files'],
    ]
