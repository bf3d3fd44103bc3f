"""Recognize any clip in one call.

Symbols: M frames of a clip at the rate of training.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from mmsign.datasets.io.frame_times import checked_fps
from mmsign.decoding import (
    AVERAGE,
    CTCBeamSearch,
    IncrementalCTC,
    StepClock,
    decode_outputs,
)
from mmsign.errors import ClipError, ConfigError
from mmsign.models.translators.text_ensemble import ENSEMBLE

from .bundle import open_network
from .clip_keypoints import (
    PERSON_SHARE,
    Estimator,
    Keypoints,
    estimate_keypoints,
    named_keypoints,
    person_share,
    read_keypoints,
)
from .clips import Clip, open_clip
from .network import Network
from .pipeline import PreparedClip
from .records import ClipResult, OutputResult
from .stream import StreamReader, count_utterances
from .windows import WindowedNetwork, window_for_clips

LONG_STEPS = 256
"""Output steps of a long clip that are decoded together at most."""

Given = str | os.PathLike | np.ndarray


@dataclass
class ClipJob:
    """A clip on its way to a result.

    Attributes:
        clip: What was opened.
        keypoints: (M, 79, 3) at its chosen frames in pixels of the source, if the
            network looks at them.
        prepared: The network's input; None if there is nothing to recognize, or
            too much to hold at once.
        is_long: Whether the clip is to be read in windows.
        clock, log_probs: When its output steps are, and what each output says in them
            (T', V); None unless it is read at once.
        outputs: What was recognized, by output.
        timing: See ``ClipResult``.
    """

    clip: Clip
    keypoints: np.ndarray | None = None
    prepared: PreparedClip | None = None
    is_long: bool = False
    clock: StepClock | None = None
    log_probs: dict[str, Tensor] | None = None
    outputs: dict[str, OutputResult] = field(default_factory=dict)
    timing: dict[str, float] = field(default_factory=dict)


class SignInferencer:
    """Glosses of arbitrary clips.

    Args:
        config, checkpoint: Of a recognizer, as ``tools/test.py`` takes them.
        bundle: Instead of both, a file that ``tools/export/bundle.py`` wrote.
        device: None takes a GPU if there is one.
        fast: Compute faster, with a difference in the last digits; see
            ``build_network``.
        fps: Frames per second that clips are brought to; None takes the training
            corpus's, from the config's ``corpus``.
        beam_width: None takes the config's.
        n_best: Sequences returned per output.
        estimator: Finds keypoints for clips that come without, such as
            ``mmsign.pose.PoseEstimator``; see ``estimate_keypoints``.

    Raises:
        ConfigError, FileNotFoundError, CheckpointError, BundleError: If the files
            do not make a network; they are named.
    """

    def __init__(
        self,
        config: str | Path | Config | None = None,
        checkpoint: str | Path | None = None,
        bundle: str | Path | None = None,
        device: str | torch.device | None = None,
        fps: float | None = None,
        beam_width: int | None = None,
        n_best: int = 5,
        estimator: Estimator | None = None,
        fast: bool = False,
    ) -> None:
        self.network: Network = open_network(config, checkpoint, bundle, device, fast)
        self.fps = self.network.fps if fps is None else checked_fps(fps)
        own = self.network.recognizer.decoder
        width = own.beam_width if beam_width is None else beam_width
        self.search = CTCBeamSearch(width, min(n_best, width), own.merge_adjacent)
        self.estimator = estimator

    # The public phases -----------------------------------------------------

    def __call__(
        self,
        clips: Given | Sequence[Given],
        keypoints: Keypoints | Sequence[Keypoints] | None = None,
        fps: float | None = None,
        batch_size: int = 1,
        record_errors: bool = False,
        progress: Callable[[ClipResult], None] | None = None,
    ) -> ClipResult | list[ClipResult]:
        """Recognize one clip or several.

        Args:
            clips: A video file, a folder of images, ``ARCHIVE.zip@FOLDER`` or an
                array (N, H, W, 3) uint8 BGR; or a list of these.
            keypoints: An array (N, 133, 3) or a file for one clip, a list of them for
                a list; or one ``.safetensors`` file that holds all clips by name.
                None asks the estimator. Not looked at by a network of video alone.
            fps: Frames per second of the clips; None takes a video's own, and the
                network's for arrays and folders.
            batch_size: Clips that the network sees at once. The shorter ones of
                a batch are padded, as in testing, which may change the last digits.
            record_errors: Whether a clip that cannot be read becomes a result with
                ``error``, or raises.
            progress: Called with each result.

        Returns:
            One result for one clip, a list in the same order for a list.

        Raises:
            ClipError, FrameReadError, DataError, FileNotFoundError,
                ValueError: Naming the clip, unless errors are recorded.
        """
        single = isinstance(clips, (str, os.PathLike, np.ndarray))
        given = [clips] if single else list(clips)
        poses = self._poses_of(given, keypoints, single)
        if fps is not None:
            checked_fps(fps)
        if batch_size < 1:
            raise ConfigError(f'batch_size must be at least 1, not {batch_size}')
        results: list[ClipResult] = []
        for start in range(0, len(given), batch_size):
            stop = start + batch_size
            jobs: list[ClipJob | ClipResult] = []
            for number, (clip, pose) in enumerate(
                zip(given[start:stop], poses[start:stop]), start
            ):
                try:
                    jobs.append(self.preprocess(clip, pose, fps, number))
                except (ValueError, OSError, RuntimeError) as error:
                    if not record_errors:
                        raise
                    name = f'clip-{number}' if _is_array(clip) else os.fspath(clip)
                    jobs.append(ClipResult(clip=name, error=str(error)))
            ready = [job for job in jobs if isinstance(job, ClipJob)]
            self.forward(ready)
            for job in jobs:
                result = self.postprocess(job) if isinstance(job, ClipJob) else job
                results.append(result)
                if progress is not None:
                    progress(result)
        return results[0] if single else results

    def preprocess(
        self,
        given: Given,
        keypoints: Keypoints | None = None,
        fps: float | None = None,
        number: int = 0,
    ) -> ClipJob:
        """Open a clip and prepare the network's input; see ``__call__``."""
        start = time.perf_counter()
        clip = open_clip(given, number, fps, self.fps)
        clip.resample(self.fps)
        job = ClipJob(clip)
        pose = job.keypoints = self._pose(job, keypoints)
        found = time.perf_counter()
        if pose is not None and self._nobody(clip, pose):
            job.timing = dict(load=found - start)
            return job
        notice = self._notice_if_long(len(clip.times), pose)
        if notice:
            job.is_long = True
            clip.notices.append(notice + ', not translated' * self.network.translates)
        else:
            job.prepared = self.network.pipeline.prepare(clip, pose)
        job.timing['load'] = (
            time.perf_counter() - start - job.timing.get('keypoints', 0.0)
        )
        return job

    def forward(self, jobs: Sequence[ClipJob]) -> None:
        """Run the network on a batch and decode every output."""
        ready = [job for job in jobs if job.prepared is not None]
        if ready:
            self._recognize(ready)
        for job in jobs:
            if job.is_long:
                self._recognize_long(job)

    def _recognize(self, jobs: list[ClipJob]) -> None:
        """Clips that the network takes at once."""
        start = time.perf_counter()
        clips = [job.prepared for job in jobs]
        log_probs, frames = self.network.log_probs(clips, translate=True)
        middle = time.perf_counter()
        steps = log_probs[AVERAGE].shape[1]
        clocks = [
            StepClock(c.frame_times, c.frame_times + c.frame_seconds, frames, steps)
            for c in clips
        ]
        vocab = self.network.model.vocab
        found = decode_outputs(log_probs, clocks, self.search, vocab)
        end = time.perf_counter()
        for index, (job, outputs) in enumerate(zip(jobs, found)):
            job.timing['network'] = (middle - start) / len(jobs)
            job.timing['decode'] = (end - middle) / len(jobs)
            job.clock = clocks[index]
            valid = job.clock.valid_steps
            job.log_probs = {name: x[index, :valid] for name, x in log_probs.items()}
            job.outputs = {
                name: OutputResult(one.timed, one.score, one.n_best)
                for name, one in outputs.items()
            }

    def _recognize_long(self, job: ClipJob) -> None:
        """A clip of any length, frame by frame: by utterances, or in windows.

        Frames are decoded as they are needed and probabilities dropped once they are
        decoded. ``n_best`` lists the best sequence alone: there are more than can be
        counted of so long a clip.
        """
        start = time.perf_counter()
        network, clip = self.network, job.clip
        decoders = {
            name: IncrementalCTC(
                self.search,
                network.model.vocab,
                network.time_stride,
                clip.frame_times,
                max_steps=LONG_STEPS,
            )
            for name in (*network.recognizer.output_names, AVERAGE)
        }
        windows = WindowedNetwork(network, *window_for_clips(network))
        reader = StreamReader(windows, network.statistics, decoders)
        count = len(clip.times)
        indices = np.arange(count) if clip.indices is None else clip.indices
        needs_frames = network.pipeline.needs_frames
        frames = clip.source.stream(indices) if needs_frames else [None] * count
        poses = [None] * count if job.keypoints is None else job.keypoints
        size = clip.source.frame_size
        news = [reader.step(frame, pose, size) for frame, pose in zip(frames, poses)]
        news = [final for final in (*news, reader.end()) if final is not None]
        for name, decoder in decoders.items() if news else ():
            glosses = tuple(gloss for final in news for gloss in final[name])
            best = tuple(gloss.symbol for gloss in glosses), decoder.score
            job.outputs[name] = OutputResult(glosses, decoder.score, (best,))
        if not news:
            clip.notices.append('the hands rest from beginning to end')
        job.timing['network'] = time.perf_counter() - start

    def postprocess(self, job: ClipJob) -> ClipResult:
        """The record of a clip."""
        sentences = job.prepared.translations if job.prepared else {}
        first = next(iter(sentences.values()), None)
        return ClipResult(
            clip=job.clip.name,
            sentence=sentences.get(ENSEMBLE, first),
            translations=sentences,
            outputs=job.outputs,
            num_frames=len(job.clip.source),
            duration=round(job.clip.duration, 4),
            notices=tuple(job.clip.notices),
            timing={name: round(value, 4) for name, value in job.timing.items()},
        )

    # Keypoints ---------------------------------------------------------------

    def _poses_of(self, given: list, keypoints, single: bool) -> list[Keypoints | None]:
        if keypoints is None:
            return [None] * len(given)
        if isinstance(keypoints, (str, os.PathLike)):
            poses: list = [keypoints] * len(given)
        else:
            poses = [keypoints] if single and _is_array(keypoints) else list(keypoints)
        if len(poses) != len(given):
            raise ClipError(
                f'{len(given)} clips, but keypoints of {len(poses)}: give one for '
                'each clip, or one .safetensors file that holds them all by name'
            )
        return named_keypoints(given, poses)

    def _pose(self, job: ClipJob, keypoints: Keypoints | None) -> np.ndarray | None:
        """(M, 79, 3) at the clip's chosen frames, if the network looks at them."""
        if not self.network.pipeline.needs_keypoints:
            return None
        clip = job.clip
        if keypoints is not None:
            pose = read_keypoints(keypoints, clip)
            return pose if clip.indices is None else pose[clip.indices]
        if self.estimator is None:
            raise ClipError(
                f'{clip.name}: the network looks at keypoints; give a file or an '
                'array of them, or an estimator'
            )
        start = time.perf_counter()
        indices = clip.indices
        if indices is None:
            indices = np.arange(len(clip.times))
        pose = estimate_keypoints(self.estimator, clip, indices)
        job.timing['keypoints'] = time.perf_counter() - start
        return pose

    def _notice_if_long(self, count: int, pose: np.ndarray | None) -> str:
        """How a clip of ``count`` frames is read that is not to be read at once.

        Returns:
            A sentence; empty for a clip that is read at once: one that is no longer
            than the network takes and, if pauses can be seen, no longer than its
            training clips or without a pause.
        """
        statistics = self.network.statistics
        if pose is not None and statistics and statistics.rest:
            utterances = count_utterances(pose, statistics)
            if count > statistics.longest and utterances > 1:
                return (
                    f'{count} frames, the longest training clip has '
                    f'{statistics.longest}: taken apart at the pauses, {utterances} '
                    'utterances'
                )
        if count <= self.network.pipeline.max_length:
            return ''
        window, hop = window_for_clips(self.network)
        return (
            f'{count} frames, the network takes {self.network.pipeline.max_length}: '
            f'read in windows of {window}, one every {hop} frames'
        )

    @staticmethod
    def _nobody(clip: Clip, pose: np.ndarray) -> bool:
        share = person_share(pose)
        if share < PERSON_SHARE:
            clip.notices.append(
                'no person found: the keypoints of the upper body score too low in '
                f'{1 - share:.0%} of the frames; nothing was recognized'
            )
            return True
        if share < 0.5:
            clip.notices.append(f'a person was found in only {share:.0%} of the frames')
        return False


def _is_array(value: object) -> bool:
    return isinstance(value, np.ndarray)
