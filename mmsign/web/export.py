"""A folder that a web server can hand out as it is: page, network, packages."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import torch

from mmsign.apis.network import Network
from mmsign.apis.onnx_network import compare_onnx, export_onnx
from mmsign.errors import ConfigError

from .description import FORMAT, describe
from .packages import copy_packages
from .points_network import PointsNetwork, keypoint_network

_PAGE = Path(__file__).parent / 'page'
_DESCRIPTION = 'network.json'
_TOLERANCE = 1e-3


def check_folder(folder: str | os.PathLike) -> None:
    """Refuse to write where something else than an earlier page lies.

    Raises:
        ConfigError: If the folder has other contents.
    """
    folder = Path(folder)
    if folder.is_dir() and any(folder.iterdir()) and not _is_page(folder):
        raise ConfigError(
            f'the output {folder} is a folder with other things in it, which would be '
            'lost: name a new one'
        )


def write_page(
    folder: str | os.PathLike, network: Network, licence: str, packages: Path
) -> float:
    """Write the folder; it appears complete or not at all, in place of an earlier one.

    Args:
        folder: To write.
        network: Its keypoint stream is exported.
        licence: What visitors are told about using the weights.
        packages: See ``packages.fetched``.

    Returns:
        The largest difference of log-probabilities between the graph, run by
        onnxruntime, and PyTorch.

    Raises:
        ConfigError: If the network cannot be exported, or the folder is not to be
            replaced.
    """
    check_folder(folder)
    folder = Path(os.path.realpath(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    alone = keypoint_network(network)
    description = describe(alone) | dict(licence=licence)
    graph = PointsNetwork(alone)
    with tempfile.TemporaryDirectory(prefix='.web-', dir=folder.parent) as temporary:
        page = Path(temporary, 'page')
        page.mkdir()
        for file in _PAGE.iterdir():
            shutil.copyfile(file, page / file.name)  # an installed one may be read-only
        copy_packages(packages, page)
        window = description['window']
        export_onnx(graph, page / 'network.onnx', window)
        lengths = sorted({description['stride'] * 4, window})
        rows = compare_onnx(graph, page / 'network.onnx', lengths)
        difference = max(row['difference'] for row in rows)
        if not difference <= _TOLERANCE:
            raise ConfigError(
                f'the exported network differs from PyTorch by {difference:.2e}, more '
                f'than {_TOLERANCE:g}; nothing is written'
            )
        description['check'] = _check(graph, description['stride'] * 4)
        text = json.dumps(description, ensure_ascii=False)
        (page / _DESCRIPTION).write_text(text, encoding='utf-8')
        if folder.is_dir():
            folder.rename(Path(temporary, 'before'))
        page.rename(folder)
    return difference


def _check(graph: PointsNetwork, frames: int) -> dict:
    """An example with its result, by which the page sees whether a browser computes
    the same."""
    points, box = (x.double().round(decimals=3).float() for x in graph.example(frames))
    with torch.no_grad():
        (log_probs,) = graph(points, box)
    found = dict(points=points, box=box, log_probs=log_probs)
    return {k: [round(v, 4) for v in x.flatten().tolist()] for k, x in found.items()}


def _is_page(folder: Path) -> bool:
    try:
        text = (folder / _DESCRIPTION).read_text(encoding='utf-8')
        return json.loads(text).get('format') == FORMAT
    except (OSError, ValueError, AttributeError):
        return False
