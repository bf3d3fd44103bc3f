"""What the console command ``mmsign`` calls: ``mmsign.cli``, without the wait.

``import mmsign`` loads PyTorch and MMAction2 to register its parts. That takes seconds,
which neither ``--help`` nor ``mmsign score`` needs.
"""

import importlib.util
import sys
import types


def main() -> None:
    """See ``mmsign.cli.main``."""
    # An empty package in its place lets the module be imported alone.
    package = types.ModuleType('mmsign')
    package.__path__ = importlib.util.find_spec('mmsign').submodule_search_locations
    sys.modules['mmsign'] = package
    from mmsign import cli

    # Whatever the script imports is the package itself.
    for name in [name for name in sys.modules if name.partition('.')[0] == 'mmsign']:
        del sys.modules[name]
    cli.main()


if __name__ == '__main__':
    main()
