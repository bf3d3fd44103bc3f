"""What several hooks ask a run for."""

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


def steps_of(dataset) -> Sequence:
    """The transforms of a dataset's pipeline; nothing of other datasets."""
    return getattr(getattr(dataset, 'pipeline', None), 'transforms', ())


def settings_of(dataset, name: str) -> list:
    """The values of an attribute that steps of a dataset's pipeline have."""
    return [getattr(step, name) for step in steps_of(dataset) if hasattr(step, name)]


def listed(names: Sequence[str], count: int) -> str:
    """The first ``count`` names, and whether there are more.

    Examples:
        >>> listed(['a', 'b', 'c'], 2)
        'a, b, …'
    """
    return ', '.join([*names[:count], *['…'][: len(names) > count]])


def advice_on(runner) -> str:
    """What to do about clips that spoilt a step of training."""
    return (
        f'The last checkpoint in {runner.work_dir} was written before this. Look at '
        'these clips (of each process, if there are several); lower the learning '
        'rate, or clip gradients with optim_wrapper.clip_grad'
    )
