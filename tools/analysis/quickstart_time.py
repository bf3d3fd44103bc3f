"""How long the quickstart will take on this machine, from some seconds of its work.

Renders a few clips of the toy corpus, trains the networks of the quickstart's configs
on them for a second each and lets them recognize one, as the quickstart does: on a CPU
the two streams of stage 1 at the same time. How much there is of everything is counted
in the corpus's tables and in the configs. Prints minutes. They presume that the machine
stays as busy as it is while they are measured.
"""

from __future__ import annotations

import time

_BEGAN = time.perf_counter()

# Behind the clock: imports are most of what a process needs to start.
# ruff: noqa: E402
import argparse
import math
import multiprocessing
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from mmsign.config import load_config, resolve_vocabulary
from mmsign.engine.launch import apply_overrides, reported_errors
from mmsign.engine.launch.threads import choose_threads, idle_cores, usable_cores
from mmsign.registry import DATASETS, MODELS
from mmsign.toy.corpus import Sentence, invent_sentences, write_corpus
from mmsign.toy.variants import USUAL

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
STREAMS = 'video_slr_quickstart.py', 'keypoint_slr_quickstart.py'
BOTH = 'twostream_slr_quickstart.py'
TEXT, TRANSLATION = 'g2t_toy.py', 'twostream_slt_toy.py'
# Whose times stand for those of an epoch.
BATCHES = 3
# Processes of quickstart.sh that neither render nor train, one after the other: to test
# (and bundle meanwhile) and report; to make the text vocabulary, extract features, test
# and report.
STARTS, TRANSLATION_STARTS = 2, 4


class Speed(NamedTuple):
    """Seconds of one process.

    Attributes:
        step: Of a training step, computed by ``threads`` threads.
        load: Of loading its batch.
        predict: Of recognizing or translating a clip.
        threads: That compute.
    """

    step: float
    load: float
    predict: float
    threads: int


def typical(sentences: Sequence[Sentence], size: int) -> list[Sentence]:
    """Some batches of ``size`` clips, from short ones to long ones, that stand for
    all: a training has clips of a length together."""
    ordered = sorted(sentences, key=lambda sentence: len(sentence.glosses))
    middles = [(2 * i + 1) * len(ordered) // (2 * BATCHES) for i in range(BATCHES)]
    return [
        one for m in middles for one in ordered[m - size // 2 : m - size // 2 + size]
    ]


def training_seconds(work: Sequence[tuple[Speed, float]], cores: int) -> float:
    """Seconds of trainings that run at once.

    They are over when the slowest is, or when all is computed and loaded, whatever
    takes longer.

    Args:
        work: Of each its speed and its steps.
        cores: That share the work.

    Examples:
        >>> training_seconds([(Speed(2.0, 0.5, 0.0, 1), 10)], cores=2)
        20.0
        >>> training_seconds([(Speed(2.0, 0.5, 0.0, 1), 10)] * 2, cores=2)
        25.0
    """
    shared = sum((one.step * one.threads + one.load) * steps for one, steps in work)
    return max(shared / cores, *(one.step * steps for one, steps in work))


def read(name: str, **overrides: str) -> Config:
    """A shipped config, with the vocabulary of its corpus."""
    cfg = load_config(str(CONFIGS / name))
    apply_overrides(cfg, overrides)
    resolve_vocabulary(cfg)
    return cfg


def steps_of(cfg: Config, clips: int) -> int:
    """Training steps of a config."""
    return cfg.train_cfg.max_epochs * math.ceil(clips / cfg.train_dataloader.batch_size)


def measure(
    cfg: Config,
    threads: int | None = None,
    wait: Callable[[], object] = lambda: None,
    seconds: float = 1.0,
) -> Speed:
    """Train on batches of a corpus, then recognize clips of it.

    Args:
        cfg: Its ``data_root`` has a batch or more, as ``typical`` orders them.
        threads: That compute; by default as many as a training chooses.
        wait: Called when ready to be measured.
        seconds: To train for, though for one step of each batch at least.
    """
    torch.manual_seed(0)
    init_default_scope(cfg.default_scope)
    size = cfg.train_dataloader.batch_size
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    model = MODELS.build(cfg.model).to(get_device())
    if threads is None:
        parameters = sum(p.numel() for p in model.parameters())
        threads = choose_threads(parameters, usable_cores(), idle_cores())
    torch.set_num_threads(threads)
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    starts = [i * (len(dataset) - size) // (BATCHES - 1) for i in range(BATCHES)]
    batches: list[dict] = []

    def load() -> None:
        batches[:] = [
            pseudo_collate([dataset[start + i] for i in range(size)])
            for start in starts
        ]

    def train() -> None:
        for batch in batches:
            # A GPU is done when a number has come back.
            model.train_step(batch, optimizer)['loss'].item()

    def predict() -> None:
        for start in starts:
            with torch.no_grad():
                model.val_step(pseudo_collate([dataset[start]]))

    load()
    model.train()
    train()
    wait()
    found = [_mean_seconds(train, seconds), _mean_seconds(load)]
    model.eval()
    found.append(_mean_seconds(predict))
    return Speed(*(each / BATCHES for each in found), threads)


def _mean_seconds(do: Callable[[], object], seconds: float = 0.0) -> float:
    begin, done = time.perf_counter(), 0
    while not done or time.perf_counter() - begin < seconds:
        do()
        done += 1
    return (time.perf_counter() - begin) / done


def _measure_with_others(*arguments) -> Speed:
    return measure(*arguments, wait=lambda: _others.wait(timeout=300))


def _set_others(barrier) -> None:
    global _others
    _others = barrier


def measure_at_once(configs: Sequence[Config], threads: int) -> list[Speed]:
    """``measure`` each, in processes that compute at the same time."""
    context = multiprocessing.get_context('fork')
    barrier = context.Barrier(len(configs))
    with context.Pool(len(configs), _set_others, (barrier,)) as pool:
        jobs = [(cfg, threads) for cfg in configs]
        return pool.starmap(_measure_with_others, jobs, chunksize=1)


def expect(root: Path, translation: bool) -> dict[str, float]:
    """Seconds of each part of the quickstart.

    Args:
        root: An empty folder, for a few clips.
        translation: Whether it goes on to sentences.
    """
    start = time.perf_counter() - _BEGAN
    cores, on_gpu = usable_cores(), torch.cuda.is_available()
    corpus = invent_sentences(USUAL.sentences, USUAL.citations, seed=0)
    train, dev, test = (len(corpus[split]) for split in ('train', 'dev', 'test'))
    recognizer = load_config(str(CONFIGS / BOTH))
    few = typical(corpus['train'], recognizer.train_dataloader.batch_size)
    size = tuple(recognizer.corpus.frame_size)
    begin = time.perf_counter()
    write_corpus(root, dict(train=few), 'phoenix2014T', size, seed=0, workers=1)
    clip = (time.perf_counter() - begin) / len(few)
    # make_toy_corpus.py has two processes unless told otherwise.
    found = dict(rendering=clip * (train + dev + test) / min(2, cores) + start)

    streams = [read(name, data_root=str(root)) for name in STREAMS]
    if on_gpu:
        speeds = [measure(cfg) for cfg in streams]
    else:
        # As many threads as quickstart.sh gives each.
        speeds = measure_at_once(streams, (cores + 1) // 2)
    work = [(one, steps_of(cfg, train)) for one, cfg in zip(speeds, streams)]
    ends = max(one.predict for one in speeds) * dev + start
    at_once = [[one] for one in work] if on_gpu else [work]
    found['stage 1'] = sum(training_seconds(some, cores) + ends for some in at_once)

    cfg = read(BOTH, data_root=str(root))
    both = measure(cfg)
    training = training_seconds([(both, steps_of(cfg, train))], cores)
    found['stage 2'] = training + both.predict * dev + start
    found['test'] = both.predict * test + STARTS * start
    if translation:
        text, folder = [one.text for one in corpus['train']], root / 'text'
        # Only what translates needs sentencepiece. As many pieces as in quickstart.sh.
        from mmsign.text import TextVocabulary, train_sentencepiece

        TextVocabulary(train_sentencepiece(text, 300), name='toy').save(folder)
        cfg = read(TEXT, data_root=str(root), vocabulary=str(folder))
        slt = load_config(str(CONFIGS / TRANSLATION))
        speed, heads = measure(cfg), len(slt.model.translation)
        # A head is such a network as well; at test they translate together once more.
        steps = steps_of(cfg, train) + heads * steps_of(slt, train)
        training = training_seconds([(speed, steps)], cores)
        features = both.predict * ((1 + slt.views[0].views) * train + dev + test)
        tests = speed.predict * ((heads + 2) * dev + (heads + 1) * test)
        starts = (2 + TRANSLATION_STARTS) * start
        found['translation'] = training + features + tests + starts
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--translation', action='store_true', help='say what that adds as well'
    )
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        found = expect(Path(folder), args.translation)
    more = found.pop('translation', None)
    parts = ', '.join(f'{name} {value / 60:.1f}' for name, value in found.items())
    print(f'About {sum(found.values()) / 60:.0f} minutes: {parts}')
    if more is not None:
        print(f'Translation: about {more / 60:.0f} minutes more')


if __name__ == '__main__':
    # What is built and how is of no interest here.
    MMLogger.get_current_instance().setLevel('ERROR')
    with reported_errors():
        main()
