"""Two-stream sign language recognition and translation for MMAction2.

Importing the package registers its parts; a config needs only
``custom_imports = dict(imports=['mmsign'])`` and ``default_scope = 'mmsign'``.
"""

from . import compat

compat.apply()

from . import datasets, engine, evaluation, models, visualization  # noqa: E402
from .version import __version__  # noqa: E402
