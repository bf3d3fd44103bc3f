"""Recognize while it is signed: ``python tools/live.py FILE --bundle FILE``.

From a camera (--camera 0), a video or a folder of frames; in the terminal, or with
--window beside the picture. Glosses that will not be taken back are printed as they
become final; what seems to follow stands behind them in brackets. --out writes them at
the end, in the kinds of tools/infer.py; of a FILE also as a video or a picture.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from _estimator import add_estimator_arguments, open_estimator

from mmsign.apis.outputs import DRAWN, KINDS, write_result
from mmsign.engine.launch import reported_errors
from mmsign.errors import ConfigError
from mmsign.files import check_outputs
from mmsign.keypoints import foreign

# Least width of the window in pixels.
_WIDTH = 480


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'video',
        nargs='?',
        metavar='FILE',
        help='a video, a folder, or keypoints alone: .pose, or .safetensors@CLIP',
    )
    parser.add_argument('--camera', type=int, metavar='NUMBER', help='0 is the first')
    parser.add_argument('--bundle', help='a file of tools/export/bundle.py')
    parser.add_argument('--config', help='instead of a bundle, with --checkpoint')
    parser.add_argument('--checkpoint', help='of --config')
    parser.add_argument(
        '--keypoints',
        metavar='FILE',
        help="of FILE: .safetensors, .pose, or .json of MMPose's inferencer",
    )
    add_estimator_arguments(parser)
    parser.add_argument('--out', metavar='FILE', help=' or '.join(KINDS))
    parser.add_argument(
        '--frames',
        type=int,
        help='that the network looks at at once (default: as its training clips)',
    )
    parser.add_argument(
        '--hop', type=int, help='frames after which it looks again (default: a quarter)'
    )
    parser.add_argument('--device', help='cpu or cuda (default: a GPU if there is one)')
    parser.add_argument(
        '--fast',
        action='store_true',
        help='merged batch norms, and bfloat16 where the device has it',
    )
    parser.add_argument(
        '--window', action='store_true', help='show the picture; q ends it'
    )
    args = parser.parse_args(arguments)
    if (args.video is None) == (args.camera is None):
        parser.error('name one source: FILE or --camera NUMBER')
    if args.camera is not None and args.keypoints:
        parser.error('--keypoints belong to a FILE, not to a camera')
    kinds = KINDS if args.camera is None else [k for k in KINDS if k not in DRAWN]
    read = [args.video, args.keypoints, args.bundle, args.config, args.checkpoint]
    check_outputs([args.out], read, kinds)
    return args


def camera_frames(number: int) -> Iterator[tuple]:
    """Frames of a camera with the seconds at which they came."""
    import cv2

    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        raise ConfigError(f'camera {number} cannot be opened')
    start = time.monotonic()
    try:
        while True:
            seen, frame = capture.read()
            if not seen:
                return
            yield frame, None, time.monotonic() - start
    finally:
        capture.release()


def file_frames(clip, poses) -> Iterator[tuple]:
    """Frames of a clip with their keypoints and times."""
    for index, frame in enumerate(clip.source.stream(clip.chosen)):
        yield frame, None if poses is None else poses[index], clip.times[index]


class Terminal:
    """Final glosses on a line, partial ones in brackets, or grey in the window."""

    def __init__(self, window: bool) -> None:
        self.window = window
        self.rewrite = sys.stdout.isatty()
        self.words: list[tuple[str, bool]] = []
        self._last: list[str] = []

    def show(self, event) -> None:
        """Print an event."""
        if self.rewrite:
            print('\r\x1b[K', end='')
        for gloss in event.final:
            print(
                f'{gloss.start:8.2f} s  {gloss.gloss}  ({gloss.confidence:.2f})',
                flush=True,
            )
        partial = [gloss.gloss for gloss in event.partial]
        if self.rewrite and partial:
            print(f'            [{" ".join(partial)}]', end='', flush=True)
        self._last = [*self._last, *(gloss.gloss for gloss in event.final)][-9:]
        self.words = [(gloss, True) for gloss in self._last]
        self.words += [(gloss, False) for gloss in partial]

    def picture(self, frame) -> bool:
        """Show a frame in the window; False if the user ended it."""
        if not self.window:
            return True
        import cv2
        import numpy as np

        from mmsign.visualization.fonts import subtitle

        scale = max(1.0, _WIDTH / frame.shape[1])
        shown = cv2.resize(frame, None, fx=scale, fy=scale)
        bar = subtitle(self.words, _WIDTH // 12, shown.shape[1])
        shown = np.vstack([shown, bar])
        cv2.imshow('mmsign', shown)
        return cv2.waitKey(1) & 0xFF != ord('q')


def main(arguments: list[str] | None = None) -> list:
    """Recognize until the source ends; returns the final glosses."""
    args = parse_args(arguments)
    # Imported late: --help and refusals answer at once.
    from mmsign.apis import ClipResult, LiveRecognizer, OutputResult, open_network
    from mmsign.apis.clip_keypoints import read_keypoints
    from mmsign.apis.clips import open_clip
    from mmsign.decoding import AVERAGE

    network = open_network(
        args.config, args.checkpoint, args.bundle, args.device, args.fast
    )
    estimator = open_estimator(args, live=True)
    seen: list = []  # what it found, for the pictures

    def remember(frames):
        seen.append(estimator(frames)[0])
        return seen[-1:]

    live = LiveRecognizer(
        network, args.frames, args.hop, estimator=estimator and remember
    )
    if notice := foreign(getattr(estimator, 'name', None), network.estimators):
        print(f'note: {notice}')
    print(f'latency: {live.latency:.2f} s of video, and the computing')
    terminal = Terminal(args.window)
    clip = poses = None
    if args.camera is not None:
        source = camera_frames(args.camera)
    else:
        clip = open_clip(args.video, default_fps=network.fps)
        network.pipeline.check(clip)
        if keypoints := args.keypoints or clip.own_keypoints:
            about = network.pipeline.face, network.estimators
            poses = read_keypoints(keypoints, clip, *about)
        for notice in clip.notices:
            print(f'note: {notice}')
        source = file_frames(clip, poses)
    final, compute, seconds, count = [], 0.0, 0.0, 0
    try:
        for frame, pose, seconds in source:
            event = live.feed(frame, pose, seconds)
            count += 1
            if event is not None:
                terminal.show(event)
                final += event.final
                compute += event.compute
            if not terminal.picture(frame):
                break
    except KeyboardInterrupt:
        pass
    event = live.finish()
    terminal.show(event)
    compute += event.compute
    final += event.final
    if seconds:
        print(f'real-time factor: {compute / seconds:.2f} (computing / duration)')
    if args.out is not None:
        poses = seen if poses is None else poses
        length = seconds + (1 / live.fps if clip is None else clip.frame_seconds)
        best = tuple(gloss.symbol for gloss in final), event.score
        found = OutputResult(tuple(final), event.score, (best,))
        result = ClipResult(
            f'camera-{args.camera}' if clip is None else clip.name,
            outputs={AVERAGE: found},
            num_frames=count,
            duration=round(length, 4),
            calibrated=network.calibrated,
            notices=() if clip is None else tuple(clip.notices),
        )
        face = network.pipeline.face
        job = None if clip is None else job_of(clip, poses, count, face)
        write_result(args.out, result, network, job)
        print(f'written: {args.out}')
    return final


def job_of(clip, poses, count: int, face: str):
    """What there was to see of a clip up to a frame, to be drawn.

    Args:
        clip: All of it.
        poses: (133, 3) or (79, 3) of each frame; may be empty.
        count: Frames that were seen.
        face: Whose points of the face, see ``keypoints.FACES``.
    """
    import numpy as np

    from mmsign.apis.clip_keypoints import selected
    from mmsign.apis.inferencer import ClipJob

    clip.times, clip.chosen = clip.times[:count], clip.chosen[:count]
    points = None
    if len(poses):
        points = np.asarray(poses[:count], np.float32)
        points = selected(points, 'the keypoints', clip.name, face)
    return ClipJob(clip, points, is_long=True)


if __name__ == '__main__':
    with reported_errors():
        main()
