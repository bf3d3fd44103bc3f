"""The command ``mmsign``: the scripts under ``tools/`` by name, from anywhere.

``mmsign train CONFIG`` is ``python tools/train.py CONFIG``, with the same options.
"""

from __future__ import annotations

import difflib
import os
import shutil
import sys
import types
from collections.abc import Sequence
from typing import NoReturn

from mmsign.shipped import shipped
from mmsign.version import __version__

# What is typed → (the script under tools/, what it does).
COMMANDS = {
    'infer': ('infer.py', 'recognize and translate videos'),
    'live': ('live.py', 'recognize while it is signed, from a camera or a file'),
    'train': ('train.py', 'train a network'),
    'test': ('test.py', 'test a network on a corpus'),
    'score': ('score.py', 'WER, BLEU and accuracy of files, without a network'),
    'report': ('analysis/report.py', 'a page of all errors of one run or two'),
    'prepare': ('data/prepare.py', 'check a corpus, write its vocabulary'),
    'keypoints': ('data/extract_keypoints.py', 'estimate keypoints of videos'),
    'convert checkpoint': ('convert/slrt_checkpoint.py', "the authors' checkpoints"),
    'convert keypoints': ('convert/keypoints.py', 'keypoint files of others; to .pose'),
    'convert landmarks': (
        'data/convert_landmarks.py',
        'landmarks and .pose, to a corpus too',
    ),
    'convert mbart': ('convert/prune_mbart.py', 'prune an mBART to a corpus'),
    'export bundle': ('export/bundle.py', 'a network in one file, for infer and live'),
    'export onnx': ('export/onnx.py', 'a network as ONNX'),
    'export web': ('export/web.py', 'a page that recognizes in the browser'),
    'describe': ('analysis/describe.py', 'what the network of a config consists of'),
    'configs': ('configs.py', "list the configs, with the paper's figures"),
    'quickstart': ('quickstart.sh', 'train and test on a toy corpus made here'),
}
# The interpreter, for scripts of the shell: they take its environment as it is.
PYTHON_VARIABLE = 'MMSIGN_PYTHON'


def usage(group: str = '') -> str:
    """What there is to type, in all or after ``group``."""
    names = [name for name in COMMANDS if name.startswith(f'{group} '.lstrip())]
    lines = [f'  {name:19} {COMMANDS[name][1]}' for name in names]
    prog = f'mmsign {group}'.rstrip()
    return '\n'.join(
        [
            f'usage: {prog} COMMAND [options]   (options: {prog} COMMAND --help)',
            '',
            *lines,
        ]
    )


def fail(message: str) -> NoReturn:
    """End as argparse does."""
    print(f'mmsign: error: {message}', file=sys.stderr)
    sys.exit(2)


def find(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The command that ``arguments`` begin with, and the rest of them.

    Exits:
        0 if only help is asked for, 2 if there is no such command.
    """
    for words in (1, 2):
        name = ' '.join(arguments[:words])
        if name in COMMANDS:
            return name, list(arguments[words:])
    first, *rest = arguments or ['--help']
    if first == 'export' and '--push' in rest:  # bundles alone are pushed
        return 'export bundle', rest
    if first == '--version':
        print(f'mmsign {__version__}')
        sys.exit()
    group = first if any(name.startswith(f'{first} ') for name in COMMANDS) else ''
    asked = rest[:1] if group else [first]
    if not asked or asked[0] in ('-h', '--help'):
        print(usage(group))
        # A group alone is half of a command.
        sys.exit(2 if group and not asked else 0)
    names = (name.split() for name in COMMANDS)
    known = {words[-1 if group else 0] for words in names if group in ('', words[0])}
    near = difflib.get_close_matches(asked[0], known, 1)
    command = f'mmsign {group}'.rstrip()
    advice = f'did you mean {near[0]!r}?' if near else f'{command} --help lists them'
    fail(f'no command {asked[0]!r} of {command}: {advice}')


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script that the first words name, as if it had been called itself.

    Args:
        arguments: Behind the command's own name; None for those of the process.
    """
    name, rest = find(sys.argv[1:] if arguments is None else arguments)
    script = shipped(f'tools/{COMMANDS[name][0]}')
    if script.suffix == '.sh':
        bash = shutil.which('bash')
        if bash is None:
            fail(f'{name} needs bash')
        os.environ[PYTHON_VARIABLE] = sys.executable
        os.execv(bash, [bash, str(script), *rest])
    # argparse takes the name of the program from here, which runpy would change.
    sys.argv = [f'mmsign {name}', *rest]
    sys.path.insert(0, str(script.parent))
    module = sys.modules['__main__'] = types.ModuleType('__main__')
    module.__file__ = str(script)
    exec(compile(script.read_bytes(), script, 'exec'), vars(module))


if __name__ == '__main__':
    main()
