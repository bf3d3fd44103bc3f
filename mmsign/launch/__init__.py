"""What ``tools/train.py`` and ``tools/test.py`` share: from arguments to a run."""

from mmsign.launch.errors import LaunchError, end_process, reported_errors
from mmsign.launch.overrides import OverrideAction, apply_overrides
from mmsign.launch.preparation import (
    add_common_arguments,
    check_data_roots,
    check_work_dir,
    load_config,
    prepare,
    resolve_vocabulary,
    set_work_dir,
)

__all__ = [
    'LaunchError',
    'OverrideAction',
    'add_common_arguments',
    'apply_overrides',
    'check_data_roots',
    'check_work_dir',
    'end_process',
    'load_config',
    'prepare',
    'reported_errors',
    'resolve_vocabulary',
    'set_work_dir',
]
