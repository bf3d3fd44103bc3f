"""What ``tools/train.py`` and ``tools/test.py`` share: from arguments to a run."""

from mmsign.config import load_config, resolve_vocabulary
from mmsign.engine.launch.errors import end_process, reported_errors, say
from mmsign.engine.launch.overrides import OverrideAction, apply_overrides
from mmsign.engine.launch.preparation import (
    add_common_arguments,
    check_data_roots,
    check_work_dir,
    prepare,
    set_work_dir,
)
