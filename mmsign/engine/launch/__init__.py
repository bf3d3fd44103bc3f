"""What ``tools/train.py`` and ``tools/test.py`` share: from arguments to a run."""

from mmsign.config import load_config, resolve_vocabulary
from mmsign.engine.launch.errors import (
    end_process,
    interruptible,
    reported_errors,
    say,
    with_progress,
)
from mmsign.engine.launch.overrides import OverrideAction, apply_overrides
from mmsign.engine.launch.preparation import (
    add_common_arguments,
    build_runner,
    check_data_roots,
    check_development,
    has_clips,
    leave_out_validation,
    leave_process_group,
    named_files,
    prepare,
    say_what_is_tested,
    spread_batch,
)
from mmsign.engine.launch.settings import keep_signers
from mmsign.engine.launch.work_dir import check_work_dir, locked_work_dir, set_work_dir
