"""Keypoints of many clips into one keypoint file, by one or several processes."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import timedelta
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch

from mmsign.datasets import KeypointWriter
from mmsign.errors import DataError, PoseError
from mmsign.files import read_json, write_text

from .recipes import PoseRecipe
from .sources import Clip


def extract(
    clips: Sequence[Clip],
    out: str | Path,
    recipe: PoseRecipe,
    devices: Sequence[str | None] = (None,),
    say: Callable[[str], None] = print,
) -> dict[str, str]:
    """Estimate the keypoints of clips and write them.

    What an earlier run has written stays, and its clips are passed over; an
    interrupted run goes on where it ended. Beside the file lies
    ``NAME.settings.json``, which says how its keypoints were estimated.

    Args:
        clips: All that the file shall hold.
        out: The keypoint file.
        recipe: How.
        devices: One process works on each; a single one is this process.
        say: Is told a line about each clip.

    Returns:
        Clip id → what was wrong, of the clips that could not be done.

    Raises:
        PoseError: If the file was made in another way, or the estimator cannot be
            built; what is written stays.
    """
    out = Path(out)
    if out.suffix != '.safetensors':
        raise PoseError(f'{out}: a keypoint file is called NAME.safetensors')
    _require_same_recipe(out, recipe)
    failures: dict[str, str] = {}
    with KeypointWriter(out, recipe.layout, estimator=recipe.name) as writer:
        todo = [clip for clip in clips if clip.clip_id not in writer.done]
        if len(todo) < len(clips):
            say(f'{len(clips) - len(todo)} of {len(clips)} clips are there already')
        frames, start = 0, time.perf_counter()
        results = _results(todo, recipe, devices) if todo else ()
        for number, (clip, points) in enumerate(results, 1):
            name = f'[{number}/{len(todo)}] {clip.clip_id}'
            try:
                if isinstance(points, str):
                    raise PoseError(points)
                writer.add(clip.clip_id, points)
            except (PoseError, DataError) as error:
                failures[clip.clip_id] = str(error)
                say(f'{name}: skipped: {error}')
                continue
            frames += len(points)
            seconds = max(time.perf_counter() - start, 1e-6)
            left = timedelta(seconds=round(seconds / number * (len(todo) - number)))
            rate = f'{frames / seconds:.1f} frames/s'
            say(f'{name}: {len(points)} frames; {rate}, about {left} left')
    return failures


def _require_same_recipe(out: Path, recipe: PoseRecipe) -> None:
    """Keypoints of two estimators must not be mixed in one file."""
    record = out.with_name(f'{out.name}.settings.json')
    new = recipe.describe()
    begun = out.exists() or out.with_name(f'{out.name}.journal').exists()
    if begun and not record.is_file():
        raise PoseError(f'{out} is there without {record.name}: name another file')
    old = read_json(record) if begun else new
    if changed := [key for key in {**old, **new} if old.get(key) != new.get(key)]:
        changes = ', '.join(f'{key} {old.get(key)} → {new.get(key)}' for key in changed)
        raise PoseError(f'{out} has other settings ({changes}): name another file')
    write_text(record, json.dumps(new, indent=1) + '\n')


def _results(
    clips: Sequence[Clip], recipe: PoseRecipe, devices: Sequence[str | None]
) -> Iterator[tuple[Clip, np.ndarray | str]]:
    """Each clip with its keypoints, or with what is wrong with it."""
    if len(devices) == 1:
        estimator = recipe.build(devices[0])
        for clip in clips:
            yield clip, _estimate(estimator, clip)
        return
    context = get_context('spawn')  # a forked process cannot use a GPU
    free = context.Queue()
    for device in devices:
        free.put(device)
    threads = max(1, torch.get_num_threads() // len(devices))
    pool = ProcessPoolExecutor(len(devices), context, _begin, (recipe, free, threads))
    try:
        futures = {pool.submit(_work, clip): clip for clip in clips}
        for future in as_completed(futures):
            yield futures.pop(future), future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _estimate(estimator: Callable, clip: Clip) -> np.ndarray | str:
    try:
        return estimator(clip)
    # What is wrong with one clip; anything else is wrong with the run and ends it.
    except (ValueError, OSError, cv2.error) as error:
        return str(error)


_process: dict = {}


def _begin(recipe: PoseRecipe, free, threads: int) -> None:
    # The estimator is built with the first clip: an error there reaches the parent.
    _process['estimator'] = cache(partial(recipe.build, free.get()))
    torch.set_num_threads(threads)


def _work(clip: Clip) -> np.ndarray | str:
    return _estimate(_process['estimator'](), clip)
