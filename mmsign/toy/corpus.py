"""Write a whole toy corpus: tables, frames, keypoints.

Every clip draws from a generator of its own, seeded by the corpus's seed and the
clip's name, so the bytes do not depend on the number of processes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from mmsign.datasets.io.keypoint_file import write_keypoints
from mmsign.errors import ConfigError

from .difficulty import Difficulty
from .grammar import make_sentences, translate
from .layouts import ANNOTATIONS, LAYOUTS, SPLITS, Sentence
from .lexicon import LEXICON
from .render import render_sentence
from .signers import Signer, make_cast, signer_of

SIGNERS = {'train': 24, 'dev': 3, 'test': 4}
KEYPOINTS = 'keypoints.safetensors'


@dataclass(frozen=True)
class _Clip:
    """One clip to be rendered, as it travels to a worker process."""

    split: str
    sentence: Sentence
    signer: Signer
    folder: Path
    image: str
    size: tuple[int, int]
    seed: int
    difficulty: Difficulty
    max_frames: int | None


def _render(clip: _Clip) -> tuple[str, np.ndarray]:
    cv2.setNumThreads(0)
    name = clip.sentence.clip_id
    rng = np.random.default_rng([clip.seed, zlib.crc32(name.encode('utf-8'))])
    frames, keypoints = render_sentence(
        clip.sentence.glosses,
        clip.signer,
        clip.size,
        rng,
        clip.difficulty,
        clip.max_frames,
    )
    clip.folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(frames):
        file = clip.image.format(clip_id=name, index=index, number=index + 1)
        if not cv2.imwrite(str(clip.folder / file), frame):
            raise OSError(f'could not write {clip.folder / file}')
    return name, keypoints


def invent_sentences(
    sizes: dict[str, int], citations: int, seed: int
) -> dict[str, list[Sentence]]:
    """Sentences of the toy language for each split.

    Args:
        sizes: Sentences per split.
        citations: How often each training signer signs each gloss on its own, as
            in a dictionary.
        seed: Of the corpus.
    """
    cast = make_cast(SIGNERS, seed)
    corpus = {}
    for number, split in enumerate(SPLITS):
        rng = np.random.default_rng([seed, 2, number])
        names = [signer.name for signer in cast[split]]
        rows = [
            (names[index % len(names)], glosses)
            for index, glosses in enumerate(make_sentences(sizes[split], rng))
        ]
        if split == 'train':
            rows += [
                (name, [gloss])
                for name in names
                for gloss in LEXICON
                for _ in range(citations)
            ]
        corpus[split] = [
            Sentence(f'{split}-{index:05d}', name, tuple(glosses), translate(glosses))
            for index, (name, glosses) in enumerate(rows)
        ]
    return corpus


def read_sentences(root: Path, layout: str) -> dict[str, list[Sentence]]:
    """The sentences of a real corpus's tables.

    Args:
        root: Folder that holds the tables, or the corpus's root.
        layout: A key of ``LAYOUTS``.

    Raises:
        FileNotFoundError, ValueError: Naming the table and the line.
    """
    form = LAYOUTS[layout]
    corpus = {}
    for split in SPLITS:
        name = form.table.format(split=split)
        found = [p for p in (root / ANNOTATIONS / name, root / name) if p.is_file()]
        if not found:
            raise FileNotFoundError(
                f'{root} holds no {name}, nor does its {ANNOTATIONS}: expected the '
                f'tables of {layout}'
            )
        lines = found[0].read_text(encoding='utf-8').splitlines()
        if not lines or lines[0] != form.header:
            raise ConfigError(f'{found[0]}: expected the header {form.header}')
        try:
            corpus[split] = [form.parse(line) for line in lines[1:] if line]
        except ValueError as error:
            raise ConfigError(f'{found[0]}: {error}') from error
    return corpus


def write_corpus(
    root: Path,
    corpus: dict[str, list[Sentence]],
    layout: str,
    size: tuple[int, int],
    seed: int,
    level: float = 1.0,
    limit: int | None = None,
    max_frames: int | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write tables, frames and keypoints.

    Args:
        root: Folder of the corpus.
        corpus: Sentences of each split.
        layout: A key of ``LAYOUTS``.
        size: (width, height) of the frames in pixels.
        seed: Of everything random.
        level: Of difficulty, see ``Difficulty.scaled``.
        limit: Render only the first clips of each split; the tables are complete.
        max_frames: Longest clip.
        workers: Processes.
        progress: Called with the clips done and to do.

    Returns:
        The number of frames written.
    """
    form = LAYOUTS[layout]
    difficulty = Difficulty.scaled(level)
    cast = {
        signer.name: signer
        for signers in make_cast(SIGNERS, seed, difficulty).values()
        for signer in signers
    }
    clips = []
    for split, sentences in corpus.items():
        table = form.table_path(root, split)
        table.parent.mkdir(parents=True, exist_ok=True)
        rows = [form.header, *map(form.row, sentences)]
        table.write_text('\n'.join(rows) + '\n', encoding='utf-8', newline='\n')
        clips += [
            _Clip(
                split,
                sentence,
                cast.get(sentence.signer) or signer_of(sentence.signer, difficulty),
                form.frame_folder(root, split, sentence.clip_id),
                form.image,
                size,
                seed,
                difficulty,
                max_frames,
            )
            for sentence in sentences[:limit]
        ]
    poses = {}
    for done, (name, keypoints) in enumerate(_rendered(clips, workers), start=1):
        poses[name] = keypoints
        if progress is not None:
            progress(done, len(clips))
    write_keypoints(root / KEYPOINTS, dict(sorted(poses.items())), frame_size=size)
    return sum(map(len, poses.values()))


def _rendered(clips: list[_Clip], workers: int) -> Iterable[tuple[str, np.ndarray]]:
    if workers < 2:
        yield from map(_render, clips)
        return
    # Not fork: the caller may have threads of its own running.
    with ProcessPoolExecutor(workers, mp_context=get_context('spawn')) as pool:
        yield from pool.map(_render, clips, chunksize=4)
