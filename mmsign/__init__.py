"""Two-stream sign language recognition and translation for MMAction2.

Importing the package registers its parts in MMAction2's registries; a config
needs only ``custom_imports = dict(imports=['mmsign'])``.
"""

from . import compat

compat.apply()

from . import datasets, evaluation, hooks, models, visualization  # noqa: E402
from .version import __version__  # noqa: E402

__all__ = [
    '__version__',
    'datasets',
    'evaluation',
    'hooks',
    'models',
    'visualization',
]
