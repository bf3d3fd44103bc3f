"""Files named by a URL, or a repository of the Hugging Face Hub, downloaded once."""

import os
import re
from pathlib import Path

import torch
from mmengine.dist import barrier, is_main_process

from mmsign.errors import BundleError, CheckpointError, explain, optional_import

HUB = 'hf://'
BUNDLE_NAME = 'mmsign.bundle'
"""What a bundle is called in a repository of the Hub."""


def is_url(source: str | os.PathLike) -> bool:
    """Whether ``source`` is an address of the web rather than a path."""
    return os.fspath(source).startswith(('http://', 'https://'))


def local_copy(
    source: str | os.PathLike,
    instead: str = 'name the file itself',
    folder: str | os.PathLike | None = None,
    progress: bool = False,
) -> str:
    """The path itself, or that of a URL's copy in torch's cache.

    What is there is not downloaded again. Of several processes of a run the main one
    downloads first; another one does so only if it does not see the same folder.

    Args:
        source: A path, which need not exist, or a URL.
        instead: What a user without a network can do; ends the message of the error.
        folder: To keep the copy in; None takes ``checkpoints`` of ``TORCH_HOME``.
        progress: Whether to draw a bar.

    Raises:
        CheckpointError: If it cannot be downloaded, or what came has another hash than
            its name says.

    Examples:
        >>> local_copy('weights/s3d.pth')
        'weights/s3d.pth'
    """
    url = os.fspath(source)
    if not is_url(url):
        return url
    folder = Path(folder or Path(torch.hub.get_dir(), 'checkpoints'))
    target = folder / re.sub(r'[?#].*', '', url).rpartition('/')[2]
    # Published files carry the start of their hash in their name.
    named = re.search(r'[-_]([0-9a-f]{8,})\.\w+$', target.name)
    for mine in (is_main_process(), True):
        if mine and not target.is_file():
            try:
                folder.mkdir(parents=True, exist_ok=True)
                torch.hub.download_url_to_file(
                    url, str(target), named and named[1], progress
                )
            # A hash that differs is a RuntimeError, whatever the network does an
            # OSError, an address that is none a ValueError.
            except (OSError, RuntimeError, ValueError) as error:
                raise CheckpointError(
                    f'{url} cannot be downloaded ({error}): fetch it elsewhere and put '
                    f'it at {target}, or {instead}'
                ) from error
        barrier()
    return str(target)


def hub_copy(source: str | os.PathLike) -> str:
    """The path itself, or that of a copy of a bundle of the Hub in its client's cache.

    Args:
        source: A path, or ``hf://OWNER/NAME`` with ``@REVISION`` or without.

    Raises:
        BundleError: If it cannot be downloaded.
        MissingPackageError: Without ``huggingface_hub``.

    Examples:
        >>> hub_copy('mine.bundle')
        'mine.bundle'
    """
    name = os.fspath(source)
    if not name.startswith(HUB):
        return name
    repository, _, revision = name.removeprefix(HUB).partition('@')
    if not re.fullmatch(r'[\w.-]+/[\w.-]+', repository):
        raise BundleError(
            f'{name}: expected hf://OWNER/NAME, or hf://OWNER/NAME@REVISION'
        )
    hub = optional_import('huggingface_hub', 'hub')
    text = (
        f'{name} cannot be downloaded; does it hold {BUNDLE_NAME}, and may you read it'
    )
    # Whatever the network, the Hub or its cache do.
    with explain(BundleError, text, Exception):
        return hub.hf_hub_download(repository, BUNDLE_NAME, revision=revision or None)
