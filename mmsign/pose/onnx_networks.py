"""Networks of pictures as ONNX files, run by onnxruntime; nothing of OpenMMLab.

Neither onnxruntime nor rtmlib is imported before it is asked for: the extra
``mmsign[keypoints]`` brings both.

Symbols: n pictures of H by W pixels.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from mmsign import compat
from mmsign.errors import (
    CheckpointError,
    ConfigError,
    PoseError,
    explain,
    optional_import,
)

EXTRA = 'keypoints'
"""Of mmsign, which brings what this needs."""


class OnnxNetwork:
    """An ONNX network whose one input is a batch of pictures of one size.

    Args:
        path: The file, which is there: see ``find_network``.
        expected: What it should be, for errors.
        device: To run on; None takes a GPU if there is one that onnxruntime can use.

    Attributes:
        path: The file.
        input_size: (W, H) of its pictures in pixels.

    Raises:
        MissingPackageError: If onnxruntime is not installed.
        PoseError: If it is no such network.
        ConfigError: If there is no such device, or onnxruntime cannot use it.
    """

    def __init__(
        self, path: Path, expected: str, device: str | torch.device | None = None
    ) -> None:
        runtime = optional_import('onnxruntime', EXTRA)
        self.path, self._expected = path, expected
        options = runtime.SessionOptions()
        # Several processes on one machine each take their share.
        options.intra_op_num_threads = torch.get_num_threads()
        provider = _provider(runtime, device)
        # What it raises for a file that is no network has no base of its own.
        with self.blamed(Exception):
            self._session = runtime.InferenceSession(str(path), options, [provider])
        used = self._session.get_providers()[0]
        if used != provider[0]:
            raise ConfigError(f'onnxruntime cannot use {provider}, it took {used}')
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        is_sized = all(isinstance(side, int) for side in shape[2:])
        if len(shape) != 4 or shape[1] != 3 or not is_sized:
            raise self.error(f'its inputs are {[(i.name, i.shape) for i in inputs]}')
        # A free number of pictures has a name, or none.
        if isinstance(shape[0], int) and shape[0] != 1:
            raise self.error(f'it takes {shape[0]} pictures, neither 1 nor any')
        self._input, self._is_single = inputs[0].name, shape[0] == 1
        self.input_size = shape[3], shape[2]

    def __call__(self, pictures: np.ndarray) -> list[np.ndarray]:
        """Run the network.

        Args:
            pictures: (n, 3, H, W) float32, n at least 1.

        Returns:
            Its outputs in order, (n, …) each.
        """
        parts = np.split(pictures, len(pictures) if self._is_single else 1)
        outputs = [self._session.run(None, {self._input: part}) for part in parts]
        return [np.concatenate(of_parts) for of_parts in zip(*outputs)]

    def trial(self) -> list[np.ndarray]:
        """Its outputs for one black picture; raises PoseError if it cannot be run."""
        width, height = self.input_size
        with self.blamed(Exception):
            return self(np.zeros((1, 3, height, width), np.float32))

    def error(self, found: str) -> PoseError:
        """That the file is something else."""
        return PoseError(f'{self.path} is no {self._expected}: {found}')

    def blamed(self, *kinds: type[Exception]):
        """Whatever is wrong is wrong with the file."""
        return explain(PoseError, f'{self.path} is no {self._expected}', *kinds)


def find_network(checkpoint: str | Path | None, url: str) -> Path:
    """The file of a network, downloaded by rtmlib unless it is named.

    Args:
        checkpoint: A file; None takes the published one, which is downloaded once.
        url: Of the published one.

    Raises:
        MissingPackageError: If onnxruntime or, to download, rtmlib is not installed.
        FileNotFoundError: If there is no such file.
        CheckpointError: If it cannot be downloaded.
    """
    optional_import('onnxruntime', EXTRA)
    if checkpoint is not None:
        path = Path(checkpoint)
        if not path.is_file():
            raise FileNotFoundError(f'ONNX file {path} does not exist')
        return path
    download: Callable = optional_import('rtmlib.tools.file', EXTRA).download_checkpoint
    text = f'{url} cannot be downloaded, name the unpacked end2end.onnx as checkpoint'
    # It is a matter of networks, archives and disks.
    with explain(CheckpointError, text, Exception):
        return Path(download(url))


def can_use_gpu() -> bool:
    """Whether onnxruntime is built for NVIDIA's GPUs."""
    runtime = optional_import('onnxruntime', EXTRA)
    return 'CUDAExecutionProvider' in runtime.get_available_providers()


def _provider(runtime, device: str | torch.device | None) -> tuple[str, dict]:
    """What onnxruntime calls a device."""
    if device is None and not can_use_gpu():
        device = 'cpu'
    chosen = compat.choose_device(device)
    if chosen.type == 'cpu':
        return 'CPUExecutionProvider', {}
    if chosen.type != 'cuda' or not can_use_gpu():
        raise ConfigError(
            f'onnxruntime {runtime.__version__} cannot use {chosen}: pip uninstall '
            'onnxruntime, pip install onnxruntime-gpu; or take --device cpu'
        )
    return 'CUDAExecutionProvider', {'device_id': chosen.index or 0}
