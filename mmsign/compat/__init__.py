"""Everything that depends on the versions of torch, MMEngine and MMAction2.

``mmsign`` calls ``apply`` when it is imported. Each module says which upstream
faults it answers and when the answer can go.
"""

from mmsign.compat.checkpoints import (
    find_latest_checkpoint,
    is_trusted,
    load_checkpoint,
    write_checkpoint,
)
from mmsign.compat.devices import can_fuse, choose_device, has_triton
from mmsign.compat.distributed import launched, prepare_distributed
from mmsign.compat.exporting import (
    is_compiling,
    require_free_export_lengths,
    torchscript_exporter,
)
from mmsign.compat.mixed_precision import (
    autocast_dtype,
    cpu_has_bfloat16,
    gpu_has_bfloat16,
    use_mixed_precision,
    without_autocast,
)
from mmsign.compat.mmaction_imports import make_mmaction_importable
from mmsign.compat.mmengine_checkpoints import install_checkpoint_io
from mmsign.compat.mmengine_configs import bases_of
from mmsign.compat.small_convolutions import (
    convolution,
    has_fast_transposed_3d,
    patch_small_convolutions,
    transposed_convolution,
    transposed_convolution_backward,
)


def apply() -> None:
    """Make MMAction2 importable and MMEngine's checkpoints safe. Idempotent.

    Raises:
        ImportError: MMAction2 or mmcv is missing, with what to install.
    """
    make_mmaction_importable()
    install_checkpoint_io()
