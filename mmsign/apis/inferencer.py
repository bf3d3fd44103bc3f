"""Recognize any clip in one call.

Symbols: M frames of a clip at the rate of training.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config

from mmsign.datasets.io.frame_times import checked_fps
from mmsign.decoding import (
    AVERAGE,
    Calibration,
    IncrementalCTC,
    StepClock,
    decode_outputs,
)
from mmsign.errors import ClipError, ConfigError
from mmsign.keypoints import HANDS, foreign, unusual_posture
from mmsign.models.translators.translator import ENSEMBLE
from mmsign.structures import SignReading

from . import clip_keypoints
from .bundle import open_network
from .clip_keypoints import Estimator, Keypoints
from .clips import Clip, Given, open_clip, shown_name
from .network import Network
from .records import ClipResult, OutputResult
from .stream import StreamReader, count_utterances
from .windows import StreamFrame, WindowedNetwork, window_for_clips

LONG_STEPS = 256
"""Output steps of a long clip that are decoded together at most."""

# A value of a pixel that changes by more is no noise; a hand is more of the picture.
_NOISE, _MOVING_SHARE = 8, 1e-3


@dataclass
class ClipJob:
    """A clip on its way to a result.

    Attributes:
        clip: What was opened.
        keypoints: (M, 79, 3) at its chosen frames in pixels of the source, if the
            network looks at them.
        prepared: ``inputs`` and ``data_samples`` for the network, whose data sample
            gets what is recognized, in seconds; None if there is nothing to recognize,
            or too much to hold at once.
        is_long: Whether the clip is to be read in pieces: utterances or windows.
        pieces: Start and end in seconds of those that were.
        single_signs: How many single signs are wanted.
        outputs: What was recognized, by output.
        timing: See ``ClipResult``.
    """

    clip: Clip
    keypoints: np.ndarray | None = None
    prepared: dict | None = None
    is_long: bool = False
    pieces: list[tuple[float, float]] = field(default_factory=list)
    single_signs: int = 0
    outputs: dict[str, OutputResult] = field(default_factory=dict)
    timing: dict[str, float] = field(default_factory=dict)


class SignInferencer:
    """Glosses of arbitrary clips.

    Args:
        config, checkpoint: Of a recognizer, as ``tools/test.py`` takes them.
        bundle: Instead of both, a file that ``tools/export/bundle.py`` wrote, or
            ``hf://OWNER/NAME``, where it pushed it to.
        device: None takes a GPU if there is one.
        fast: Compute faster, with a difference in the last digits; see
            ``build_network``.
        fps: Frames per second that clips are brought to; None takes the training
            corpus's, from the config's ``corpus``.
        beam_width: None takes the config's.
        n_best: Sequences returned per output.
        estimator: Finds keypoints for clips that come without, such as
            ``mmsign.pose.PoseEstimator``; see ``estimate_keypoints``. Its ``name``, if
            it has one, is compared with what the network was trained on.

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
        self.fps = checked_fps(fps) or self.network.fps
        self.search = self.network.search(beam_width, n_best)
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
        single_signs: int = 0,
    ) -> ClipResult | list[ClipResult]:
        """Recognize one clip or several.

        Args:
            clips: A video file, a folder of images, ``ARCHIVE.zip@FOLDER``, an array
                (N, H, W, 3) uint8 BGR, or for a network of keypoints alone
                ``FILE.safetensors@CLIP`` or ``FILE.pose``; or a list of these.
            keypoints: An array (N, 133, 3) or a file for one clip, a list of them for
                a list; or one ``.safetensors`` file that holds all clips by name.
                None asks the estimator. Not looked at by a network of video alone.
            fps: Frames per second of the clips; None takes a video's own, and the
                network's for arrays and folders.
            batch_size: Clips that the network sees at once. The shorter ones of
                a batch are padded, and what lies behind a clip reaches its last
                output steps: its last glosses may become others. 1 reads each clip
                as testing does.
            record_errors: Whether a clip that cannot be read becomes a result with
                ``error``, or raises.
            progress: Called with each result.
            single_signs: How many of the best single signs ``single_sign`` of a result
                lists, for clips that show one sign, or none.

        Returns:
            One result for one clip, a list in the same order for a list.

        Raises:
            ClipError: Naming the clip, unless errors are recorded; so do
                FrameReadError, DataError, FileNotFoundError and ValueError.
        """
        single = isinstance(clips, (str, os.PathLike, np.ndarray))
        given = [clips] if single else list(clips)
        if single and isinstance(keypoints, np.ndarray):
            keypoints = [keypoints]
        poses = clip_keypoints.keypoints_of_each(given, keypoints)
        checked_fps(fps)
        if batch_size < 1:
            raise ConfigError(f'batch_size must be at least 1, not {batch_size}')
        if single_signs < 0:
            raise ConfigError(f'single_signs must be at least 0, not {single_signs}')

        def attempt(number: int, phase: Callable, *args) -> ClipJob | ClipResult:
            try:
                return phase(*args)
            except (ValueError, OSError, RuntimeError) as error:
                if not record_errors:
                    raise
                return ClipResult(shown_name(given[number], number), error=str(error))

        results: list[ClipResult] = []
        for start in range(0, len(given), batch_size):
            batch = range(len(given))[start : start + batch_size]
            jobs = [
                attempt(n, self.preprocess, given[n], poses[n], fps, n, single_signs)
                for n in batch
            ]
            opened = [job for job in jobs if isinstance(job, ClipJob)]
            self.forward([job for job in opened if not job.is_long])
            for number, result in zip(batch, jobs):
                if isinstance(result, ClipJob):
                    # Frames of a long clip are decoded only now.
                    result = attempt(number, self._finish, result)
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
        single_signs: int = 0,
    ) -> ClipJob:
        """Open a clip and prepare the network's input; see ``__call__``."""
        start = time.perf_counter()
        clip = open_clip(given, number, fps, self.fps)
        self.network.pipeline.check(clip)
        clip.resample(self.fps, self.network.step)
        job = ClipJob(clip, single_signs=single_signs)
        if self.network.pipeline.needs_keypoints:
            job.keypoints = self._keypoints(job, keypoints)
        body = self.network.body
        if job.keypoints is None or _shows_somebody(clip, job.keypoints, body):
            if job.keypoints is not None:
                seen = self.network.seen_keypoints
                odd = unusual_posture(job.keypoints), _no_hands(job.keypoints, seen)
                clip.notices += filter(None, odd)
            if notice := self._notice_if_long(len(clip.times), job.keypoints):
                job.is_long = True
                notice += ', not translated' * self.network.translates
                notice += ', not read as a single sign' * bool(single_signs)
                clip.notices.append(notice)
            else:
                job.prepared = self.network.pipeline.prepare(clip, job.keypoints)
                video = job.prepared['inputs'].get('video')
                if len(clip.source) > 1 and video is not None and _is_still(video):
                    clip.notices.append(
                        'the picture stays the same from beginning to end: is it '
                        'black, or one picture repeated? expect nothing of this'
                    )
        seconds = time.perf_counter() - start
        job.timing['load'] = seconds - job.timing.get('keypoints', 0.0)
        return job

    def forward(self, jobs: Sequence[ClipJob]) -> None:
        """Run the network on a batch and decode every output."""
        ready = [job for job in jobs if job.prepared is not None]
        if ready:
            self._recognize(ready)
        for job in jobs:
            if job.is_long:
                self._recognize_long(job)

    def postprocess(self, job: ClipJob) -> ClipResult:
        """The record of a clip."""
        sample = job.prepared['data_samples'] if job.prepared else {}
        translations = sample.get('translations', {}).items()
        sentences = {name: found.text for name, found in translations}
        first = next(iter(sentences.values()), None)
        average = sample.get('predictions', {}).get(AVERAGE)
        single_sign = None if average is None else average.single_sign
        if job.single_signs and not job.prepared and not job.is_long:
            single_sign = SignReading((), 1.0, accepted=False)  # nobody is there
        return ClipResult(
            clip=job.clip.name,
            sentence=sentences.get(ENSEMBLE, first),
            translations=sentences,
            outputs=job.outputs,
            num_frames=len(job.clip.source),
            duration=round(job.clip.duration, 4),
            calibrated=self.network.calibrated,
            single_sign=single_sign,
            notices=tuple(job.clip.notices),
            timing={name: round(value, 4) for name, value in job.timing.items()},
        )

    # How ---------------------------------------------------------------------

    def _finish(self, job: ClipJob) -> ClipResult:
        if job.is_long:
            self.forward([job])
        return self.postprocess(job)

    def _keypoints(self, job: ClipJob, given: Keypoints | None) -> np.ndarray:
        """(M, 79, 3) at the clip's chosen frames."""
        clip, face = job.clip, self.network.pipeline.face
        given = clip.own_keypoints if given is None else given
        trained = self.network.estimators
        if given is not None:
            about = clip, face, trained
            return clip_keypoints.read_keypoints(given, *about)[clip.chosen]
        if self.estimator is None:
            where = f'{clip.name}: the network looks at keypoints'
            raise ClipError(f'{where}; give a file or array, or an estimator')
        if notice := foreign(getattr(self.estimator, 'name', None), trained):
            clip.notices.append(notice)
        start = time.perf_counter()
        settings = self.estimator, clip, clip.chosen, face
        points = clip_keypoints.estimate_keypoints(*settings)
        job.timing['keypoints'] = time.perf_counter() - start
        return points

    def _notice_if_long(self, count: int, keypoints: np.ndarray | None) -> str:
        """How a clip of ``count`` frames is read that is not to be read at once.

        Returns:
            A sentence; empty for a clip that is read at once: one that is no longer
            than the network takes and, if pauses can be seen, no longer than its
            training clips or without a pause.
        """
        statistics, most = self.network.statistics, self.network.pipeline.max_length
        can_pause = keypoints is not None and statistics and statistics.rest
        if can_pause and count > statistics.longest:
            utterances = count_utterances(keypoints, statistics)
            if utterances > 1:
                apart = f'taken apart at the pauses, {utterances} utterances'
                longest = f'the longest training clip has {statistics.longest}'
                return f'{count} frames, {longest}: {apart}'
        if count <= most:
            return ''
        window, hop = window_for_clips(self.network)
        long = f'{count} frames, the network takes {most}'
        return f'{long}: read in windows of {window}, one every {hop} frames'

    def _recognize(self, jobs: list[ClipJob]) -> None:
        """Clips that the network takes at once, as tools/test.py does."""
        start = time.perf_counter()
        clips = [job.prepared for job in jobs]
        log_probs, frames = self.network.log_probs(clips, translate=True)
        middle = time.perf_counter()
        steps = log_probs[AVERAGE].shape[1]
        samples = [clip['data_samples'] for clip in clips]
        shown = [j.clip.frame_times(s.frame_indices) for j, s in zip(jobs, samples)]
        clocks = [StepClock(*times, frames, steps) for times in shown]
        settings = self.search, self.network.model.vocab, self.network.calibrations
        signs = [job.single_signs for job in jobs]
        decode_outputs(samples, log_probs, clocks, *settings, signs)
        spans = dict(network=middle - start, decode=time.perf_counter() - middle)
        for job, sample in zip(jobs, samples):
            job.timing |= {name: span / len(jobs) for name, span in spans.items()}
            for name, one in sample.predictions.items():
                job.outputs[name] = OutputResult(one.timed, one.score, one.n_best)

    def _recognize_long(self, job: ClipJob) -> None:
        """A clip of any length, frame by frame: by utterances, or in windows.

        Frames are decoded as they are needed and probabilities dropped once they are
        decoded. ``n_best`` lists the best sequence alone: there are more than can be
        counted of so long a clip.
        """
        start = time.perf_counter()
        network, clip = self.network, job.clip
        vocab, stride = network.model.vocab, network.time_stride
        settings = self.search, vocab, stride, clip.frame_times
        names = *network.recognizer.heads, AVERAGE
        decoders = {}
        for name in names:
            own = network.calibrations.get(name, Calibration()).glosses
            limits = dict(max_steps=LONG_STEPS, confidences=own)
            decoders[name] = IncrementalCTC(*settings, **limits)
        windows = WindowedNetwork(network, *window_for_clips(network))
        reader = StreamReader(windows, network.statistics, decoders, pieces := [])
        needs_frames = network.pipeline.needs_frames
        frames = clip.source.stream(clip.chosen) if needs_frames else repeat(None)
        poses = repeat(None) if job.keypoints is None else job.keypoints
        size = clip.source.source_size
        news = map(reader.step, map(StreamFrame, frames, poses, repeat(size)))
        news = [final for final in (*news, reader.end()) if final is not None]
        for name, decoder in decoders.items() if news else ():
            glosses = tuple(gloss for final in news for gloss in final[name])
            best = tuple(gloss.symbol for gloss in glosses), decoder.score
            job.outputs[name] = OutputResult(glosses, decoder.score, (best,))
        for first, end in pieces:
            begins, ends = clip.frame_times(np.array([first, end - 1]))
            job.pieces.append((float(begins[0]), float(ends[1])))
        if not news:
            clip.notices.append('the hands rest from beginning to end')
        job.timing['network'] = time.perf_counter() - start


def _shows_somebody(clip: Clip, keypoints: np.ndarray, body: Sequence[int]) -> bool:
    share = clip_keypoints.person_share(keypoints, body)
    if share < clip_keypoints.PERSON_SHARE:
        clip.notices.append(
            'no person found: the keypoints of the upper body score too low in '
            f'{1 - share:.0%} of the frames; nothing was recognized'
        )
    elif share < 0.5:
        clip.notices.append(f'a person was found in only {share:.0%} of the frames')
    return share >= clip_keypoints.PERSON_SHARE


def _no_hands(keypoints: np.ndarray, seen: Sequence[int]) -> str:
    """Whether a network that sees hands, among other channels, is shown none."""
    hands = [[c for c in range(hand.start, hand.stop) if c in seen] for hand in HANDS]
    shares = [clip_keypoints.person_share(keypoints, hand) for hand in hands if hand]
    if not shares or max(shares) >= clip_keypoints.PERSON_SHARE:
        return ''
    return (
        f'no hand found: the keypoints of hands score too low in {1 - max(shares):.0%} '
        'of the frames; expect nothing of this'
    )


def _is_still(video: torch.Tensor) -> bool:
    """Whether nothing moves in (3, T, S, S) uint8; noise is no motion."""
    first, *others = video.unbind(dim=1)
    first = first.short()
    # Of a clip in which something moves, a few frames tell.
    return all(
        ((frame.short() - first).abs() > _NOISE).float().mean() < _MOVING_SHARE
        for frame in reversed(others)
    )
