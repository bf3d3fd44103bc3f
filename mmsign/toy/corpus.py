"""Write a whole toy corpus: tables, frames, keypoints.

Every clip draws from a generator of its own, seeded by the corpus's seed and the
clip's name, so the bytes do not depend on the number of processes.
"""

import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from mmsign.datasets.io.keypoint_file import write_keypoints
from mmsign.datasets.phoenix import Phoenix2014Dataset, Phoenix2014TDataset, read_table
from mmsign.files import write_lines

from .grammar import make_sentences, translate
from .render import render_sentence
from .signers import Difficulty, Signer, make_cast, signer_of
from .variants import USUAL, Variant

SPLITS = 'train', 'dev', 'test'
KEYPOINTS = 'keypoints.safetensors'
ESTIMATOR = 'toy'
"""What the corpus's keypoints are said to be made by: they are drawn, not found."""
# Whose files and tables the toy corpus takes, and what it writes there: the name of a
# frame, and the row of a sentence.
LAYOUTS = {
    'phoenix2014T': (
        Phoenix2014TDataset,
        'images{number:04d}.png',
        '{0.clip_id}|{0.clip_id}/1/*.png|-1|-1|{0.signer}|{glosses}|{0.text}',
    ),
    'phoenix2014': (
        Phoenix2014Dataset,
        '{id}.avi_pid0_fn{index:06d}-0.png',
        '{0.clip_id}|{0.clip_id}/1/*.png|{0.signer}|{glosses}',
    ),
}


class Sentence(NamedTuple):
    """One row of an annotation table.

    Attributes:
        clip_id: Name of the clip.
        signer: Who signs.
        glosses: What is signed.
        text: The spoken-language sentence; Phoenix-2014 has none.
    """

    clip_id: str
    signer: str
    glosses: tuple[str, ...]
    text: str = ''


def invent_sentences(
    sizes: dict[str, int], citations: int, seed: int, variant: Variant = USUAL
) -> dict[str, list[Sentence]]:
    """Sentences of the toy language for each split.

    Args:
        sizes: Sentences per split.
        citations: How often each training signer signs each gloss on its own, as
            in a dictionary.
        seed: Of the corpus.
        variant: Of the toy language.

    Examples:
        >>> corpus = invent_sentences(dict(train=2, dev=1, test=1), citations=0, seed=0)
        >>> corpus['train'][1].glosses, corpus['train'][1].text
        (('OST', 'STURM', 'VIEL'), 'viel sturm gibt es im osten .')
    """
    corpus = {}
    cast = make_cast(variant.signers, seed)
    for number, (split, signers) in enumerate(cast.items()):
        rng = np.random.default_rng([seed, 2, number])
        names = [signer.name for signer in signers]
        rows = [
            (names[index % len(names)], glosses)
            for index, glosses in enumerate(
                make_sentences(sizes[split], rng, variant.slots)
            )
        ]
        if split == 'train':
            single = [[gloss] for gloss in variant.lexicon for _ in range(citations)]
            rows += [(name, glosses) for name in names for glosses in single]
        corpus[split] = [
            Sentence(
                f'{split}-{index:05d}',
                name,
                tuple(glosses),
                translate(glosses, variant.slots),
            )
            for index, (name, glosses) in enumerate(rows)
        ]
    return corpus


def read_sentences(root: Path, layout: str) -> dict[str, list[Sentence]]:
    """The sentences of a real corpus's tables.

    Args:
        root: Folder that holds the tables, or the corpus's root.
        layout: A key of ``LAYOUTS``.

    Raises:
        FileNotFoundError, DataError: Naming the table and the line.
    """
    form = LAYOUTS[layout][0]
    name, who, words, text = form.FIELDS
    corpus = {}
    for split in SPLITS:
        table = root / form.ANNOTATIONS[0].format(split=split)
        path = next(filter(Path.is_file, (table, root / table.name)), None)
        if path is None:
            raise FileNotFoundError(
                f'{root} holds no {table.name}, nor is there {table}: expected the '
                f'tables of {layout}'
            )
        corpus[split] = [
            Sentence(row[name], row[who], tuple(row[words].split()), row.get(text, ''))
            for _, row in read_table(str(path), form.COLUMNS)
        ]
    return corpus


def write_corpus(
    root: Path,
    corpus: dict[str, list[Sentence]],
    layout: str,
    size: tuple[int, int],
    seed: int,
    level: float = 1.0,
    variant: Variant = USUAL,
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
        variant: Of the toy language.
        limit: Render only the first clips of each split; the tables are complete.
        max_frames: Longest clip.
        workers: Processes.
        progress: Called with the clips done and to do.

    Returns:
        The number of frames written.
    """
    form, image, row = LAYOUTS[layout]
    difficulty = Difficulty.scaled(level, variant.difficulty)
    splits = make_cast(variant.signers, seed, difficulty).values()
    cast = {signer.name: signer for signers in splits for signer in signers}
    clips = []
    for split, sentences in corpus.items():
        rows = (row.format(one, glosses=' '.join(one.glosses)) for one in sentences)
        table = root / form.ANNOTATIONS[0].format(split=split)
        write_lines(table, ['|'.join(form.COLUMNS), *rows])
        for one in sentences[:limit]:
            signer = cast.get(one.signer) or signer_of(one.signer, difficulty)
            folder = form.CLIP_FRAMES.format(split=split, clip_id=one.clip_id)
            clips.append((one, signer, root / form.FRAMES / folder))
    render = partial(
        _render,
        image=image,
        seed=seed,
        size=size,
        max_frames=max_frames,
        lexicon=variant.lexicon,
    )
    poses = {}
    # Not fork: the caller may have threads of its own running.
    with ProcessPoolExecutor(max(workers, 1), get_context('spawn')) as pool:
        mapped = partial(pool.map, chunksize=4) if workers > 1 else map
        for done, (name, keypoints) in enumerate(mapped(render, clips), start=1):
            poses[name] = keypoints
            if progress is not None:
                progress(done, len(clips))
    about = dict(frame_size=size, estimator=ESTIMATOR)
    write_keypoints(root / KEYPOINTS, dict(sorted(poses.items())), **about)
    return sum(map(len, poses.values()))


def _render(
    clip: tuple[Sentence, Signer, Path], image: str, seed: int, **settings
) -> tuple[str, np.ndarray]:
    """Write the frames of a clip: its name and keypoints."""
    cv2.setNumThreads(0)
    sentence, signer, folder = clip
    name = sentence.clip_id
    rng = np.random.default_rng([seed, zlib.crc32(name.encode('utf-8'))])
    frames, keypoints = render_sentence(sentence.glosses, signer, rng=rng, **settings)
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(frames):
        file = folder / image.format(id=name, index=index, number=index + 1)
        if not cv2.imwrite(str(file), frame):
            raise OSError(f'could not write {file}')
    return name, keypoints
