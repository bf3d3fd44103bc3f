"""What goes wrong in a way that a user can put right.

Every exception that mmsign raises for the sake of its user is an ``MMSignError``: its
message names the file, clip or setting, says what was expected and what to do, and the
tools print it without a traceback. Everything else is a bug of mmsign or of the stack.

The kinds also derive from the builtin exception that a caller would expect.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


class MMSignError(Exception):
    """Base of all; catch it to handle whatever a user can put right."""

    def __str__(self) -> str:  # a KeyError would show its message quoted
        return ' '.join(map(str, self.args))


class ConfigError(MMSignError, ValueError):
    """Arguments, a config, or parts in it that do not go together."""


class DataError(MMSignError, ValueError):
    """A file or a value in it is not as it should be, or lacks a clip."""


class UnknownGlossError(DataError, KeyError):
    """A gloss that is to be learned is not in the vocabulary."""


class FrameReadError(DataError, RuntimeError):
    """Frames of a clip cannot be found or decoded."""


class ClipError(DataError):
    """A clip that is to be recognized cannot be used as given."""


class BundleError(DataError):
    """A file is no bundle, or one that is not to be trusted."""


class CheckpointError(MMSignError, RuntimeError, ValueError):
    """Weights cannot be read or written, or are those of another network."""


class PoseError(MMSignError, ValueError):
    """Keypoints cannot be estimated."""


class MissingPackageError(MMSignError, ImportError):
    """An optional package is not installed."""


@contextmanager
def explain(
    kind: type[MMSignError], text: str, *caught: type[Exception]
) -> Iterator[None]:
    """Raise a kind of error in place of those that are caught, with text and reason.

    Examples:
        >>> with explain(DataError, 'manifest.csv, line 3: no such clip', KeyError):
        ...     {}['dev-1']
        Traceback (most recent call last):
        mmsign.errors.DataError: manifest.csv, line 3: no such clip: 'dev-1'
    """
    try:
        yield
    except caught as error:
        raise kind(f'{text}: {getattr(error, "strerror", None) or error}') from error


def optional_import(module: str, extra: str) -> ModuleType:
    """Import a module of an optional package.

    Args:
        module: Its name.
        extra: Which of mmsign's extras brings the package.

    Raises:
        MissingPackageError: If it cannot be imported; says what to type.
    """
    package = module.partition('.')[0]
    text = f'{package} cannot be imported, pip install "mmsign[{extra}]"'
    with explain(MissingPackageError, text, ImportError):
        return importlib.import_module(module)


class TrainingError(MMSignError, FloatingPointError):
    """A training cannot go on: its loss, gradients or corpus are spoilt."""
