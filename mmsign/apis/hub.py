"""A bundle on the Hugging Face Hub, with a card that says what it is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import yaml

from mmsign.download import BUNDLE_NAME, HUB
from mmsign.errors import ConfigError, explain, optional_import
from mmsign.version import __version__

from .bundle import Bundle, read_bundle

_LIMITS = (
    'It reads the sign language, and the signing, of its corpus alone; of another one '
    'its glosses mean nothing.',
    'A sign that is not among its glosses is read as one that is, or as nothing.',
    'Signers whom it has not seen, other cameras, clothes and backgrounds are read '
    'worse than its error rate says, unless that was measured on such.',
    'It says what was signed, not what was meant. Do not let it decide about people.',
)
_UNKNOWN = 'not recorded'


def push_bundle(
    path: str | os.PathLike, repository: str, metrics: Mapping[str, float] | None = None
) -> str:
    """Put a bundle and its card into a repository of the Hub, in one commit.

    One that is not there is made, and is private: who may see it is decided there.

    Args:
        path: Of the bundle.
        repository: ``OWNER/NAME``.
        metrics: Of a test, see ``model_card``.

    Returns:
        Its address.

    Raises:
        ConfigError: If the Hub refuses, or cannot be reached.
        MissingPackageError: Without ``huggingface_hub``.
    """
    hub = optional_import('huggingface_hub', 'hub')
    card = model_card(read_bundle(path), repository, metrics)
    text = f'{repository} cannot be written; are you logged in (`hf auth login`)'
    # Whatever the network and the Hub do.
    with explain(ConfigError, text, Exception):
        api = hub.HfApi()
        address = api.create_repo(repository, private=True, exist_ok=True)
        added = {BUNDLE_NAME: os.fspath(path), 'README.md': card.encode()}
        operations = [hub.CommitOperationAdd(*item) for item in added.items()]
        message = f'Bundle of mmsign {__version__}'
        api.create_commit(repository, operations, commit_message=message)
    return str(address)


def model_card(
    bundle: Bundle, repository: str, metrics: Mapping[str, float] | None = None
) -> str:
    """What a bundle is, for people: Markdown, with what the Hub reads above it.

    Args:
        bundle: Of ``read_bundle``.
        repository: Where it will be, ``OWNER/NAME``.
        metrics: What ``tools/test.py --out`` wrote: WER and others by output, in
            percent.
    """
    model, corpus = bundle.spec.model, bundle.spec.corpus
    recognizer = model.get('recognizer', model)
    streams = [name for name in ('video', 'keypoint') if name in recognizer]
    translates = 'translation' in model
    tasks = ['sign-language-recognition', *['sign-language-translation'] * translates]
    licence = bundle.about['licence']
    head = dict(library_name='mmsign', license='other', tags=tasks)
    # The Hub wants an id, such as my-licence-1.0; the text is in the card.
    name = re.sub(r'[^a-z0-9.]+', '-', licence['weights'].lower()).strip('-.')
    head |= dict(license_name=name or 'custom')
    size = corpus.get('frame_size')
    facts = {
        'Reads': ' and '.join(streams) + (', writes sentences' if translates else ''),
        'Glosses': len(model['vocab']['glosses']),
        'Corpus': corpus.get('dataset') or _UNKNOWN,
        'Frames per second': corpus.get('fps') or _UNKNOWN,
        'Frame size': '×'.join(map(str, size)) if size else _UNKNOWN,
        'Keypoints of': ', '.join(corpus.get('estimators') or ()) or _UNKNOWN,
        'Software': ', '.join(f'{k} {v}' for k, v in bundle.about['software'].items()),
    }
    rates = {
        name.removesuffix('/WER'): value
        for name, value in (metrics or {}).items()
        if name.endswith('/WER')
    }
    lines = ['---', yaml.safe_dump(head, allow_unicode=True).rstrip(), '---', '']
    lines += [
        f'# {repository}',
        '',
        'A network of mmsign that reads sign language.',
        '',
    ]
    lines += ['| | |', '|---|---|']
    lines += [f'| {key} | {_cell(value)} |' for key, value in facts.items()]
    lines += ['', '## Licence', '']
    lines += [f'- {part}: {text}' for part, text in licence.items()]
    lines += ['', '## Word error rate', '']
    if rates:
        lines += ['Of the test, by output, in percent.', '', '| output | WER |']
        lines += ['|---|---|', *(f'| {n} | {v:.2f} |' for n, v in rates.items())]
    else:
        lines += ['Not measured, or not told.']
    lines += ['', '## Limits', '', *(f'- {text}' for text in _LIMITS)]
    lines += [
        '',
        '## Use',
        '',
        '```python',
        'from mmsign.apis import SignInferencer',
        '',
    ]
    lines += [f"SignInferencer(bundle='{HUB}{repository}')('clip.mp4')", '```', '']
    return '\n'.join(lines)


def _cell(value: object) -> str:
    return str(value).replace('|', '\\|').replace('\n', ' ')
