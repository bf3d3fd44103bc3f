"""Recognize while it is signed: ``python tools/live.py FILE --bundle FILE``.

From a camera (--camera 0), a video or a folder of frames; in the terminal, or with
--window beside the picture. Glosses that will not be taken back are printed as they
become final; what seems to follow stands behind them in brackets.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from _estimator import add_estimator_arguments, open_estimator

from mmsign.engine.launch import reported_errors
from mmsign.errors import ConfigError
from mmsign.keypoints import foreign

# Least width of the window in pixels.
_WIDTH = 480


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('video', nargs='?', metavar='FILE', help='a video or a folder')
    parser.add_argument('--camera', type=int, metavar='NUMBER', help='0 is the first')
    parser.add_argument('--bundle', help='a file of tools/export/bundle.py')
    parser.add_argument('--config', help='instead of a bundle, with --checkpoint')
    parser.add_argument('--checkpoint', help='of --config')
    parser.add_argument(
        '--keypoints',
        metavar='FILE',
        help="of FILE: .safetensors, or .json of MMPose's inferencer",
    )
    add_estimator_arguments(parser)
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


def file_frames(path: str, keypoints: str | None, network) -> Iterator[tuple]:
    """Frames of a file with their keypoints, as a network sees them, and times."""
    import numpy as np

    from mmsign.apis.clip_keypoints import read_keypoints
    from mmsign.apis.clips import open_clip

    clip = open_clip(path)
    about = network.pipeline.face, network.estimators
    poses = None if keypoints is None else read_keypoints(keypoints, clip, *about)
    for notice in clip.notices:
        print(f'note: {notice}')
    indices = np.arange(len(clip.times))
    for index, frame in enumerate(clip.source.stream(indices)):
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
    from mmsign.apis import LiveRecognizer, open_network

    network = open_network(
        args.config, args.checkpoint, args.bundle, args.device, args.fast
    )
    estimator = open_estimator(args, live=True)
    live = LiveRecognizer(network, args.frames, args.hop, estimator=estimator)
    if notice := foreign(getattr(estimator, 'name', None), network.estimators):
        print(f'note: {notice}')
    print(f'latency: {live.latency:.2f} s of video, and the computing')
    terminal = Terminal(args.window)
    if args.camera is not None:
        source = camera_frames(args.camera)
    else:
        source = file_frames(args.video, args.keypoints, network)
    final, compute, seconds = [], 0.0, 0.0
    try:
        for frame, pose, seconds in source:
            event = live.feed(frame, pose, seconds)
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
    if seconds:
        print(f'real-time factor: {compute / seconds:.2f} (computing / duration)')
    return [*final, *event.final]


if __name__ == '__main__':
    with reported_errors():
        main()
