"""What several hooks ask a run for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmengine.model import is_model_wrapper
from torch import nn


def model_of(runner) -> nn.Module:
    """The runner's network, out of what distributes it over processes."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def clips_of(dataset) -> Iterator[dict]:
    """What is known of each clip before it is loaded; nothing of other datasets."""
    for index in range(len(dataset) if hasattr(dataset, 'get_data_info') else 0):
        yield dataset.get_data_info(index)


def settings_of(dataset, name: str) -> list:
    """The values of an attribute that steps of a dataset's pipeline have."""
    steps = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    return [getattr(step, name) for step in steps if hasattr(step, name)]


def listed(names: Sequence[str], count: int) -> str:
    """The first ``count`` names, and whether there are more.

    Examples:
        >>> listed(['a', 'b', 'c'], 2)
        'a, b, …'
    """
    return ', '.join([*names[:count], *['…'][: len(names) > count]])
