"""The page of ``mmsign export web`` against Python: same words, and how fast.

The clips of a keypoint file, joined into one stream, go through the live recognizer,
and under Node.js through the page's own: in WebAssembly on one core, as in a browser
without a GPU. Printed are what differs, and the real-time factor of network and
decoding. Words or times that differ are an error.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from _report import show

from mmsign.apis import LiveRecognizer
from mmsign.apis.network import Network
from mmsign.datasets.io.frame_times import DEFAULT_FPS
from mmsign.engine.launch import reported_errors
from mmsign.errors import ConfigError, MissingPackageError

_SCRIPT = Path(__file__).with_suffix('.mjs')


def run_page(page: Path, stream: dict) -> dict:
    """What the page says of a stream; both are described in ``web.mjs``."""
    node = shutil.which('node')
    if node is None:
        raise MissingPackageError('node is not installed: install Node.js')
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, 'stream.json')
        file.write_text(json.dumps(stream), encoding='utf-8')
        command = [node, str(_SCRIPT), str(page), str(file)]
        done = subprocess.run(command, capture_output=True, encoding='utf-8')
    if done.returncode:
        raise ConfigError(f'{page} does not run under node: {done.stderr[-500:]}')
    return json.loads(done.stdout)


def stream_of(points: np.ndarray, size: tuple[int, int], fps: float) -> dict:
    """Keypoints (N, 79, 3) as ``web.mjs`` reads them."""
    seconds = (np.arange(len(points)) / fps).tolist()
    return dict(size=size, seconds=seconds, frames=points.tolist())


def run_python(network: Network, stream: dict) -> list[dict]:
    """What the live recognizer says of a stream, as ``web.mjs`` writes it."""
    live = LiveRecognizer(network)
    events = []
    for seconds, points in zip(stream['seconds'], stream['frames'], strict=True):
        points = np.array(points, np.float32)
        events.append(live.feed(None, points, seconds, tuple(stream['size'])))
    events.append(live.finish())
    return [
        dict(
            final=[gloss.to_dict() for gloss in event.final],
            partial=[gloss.to_dict() for gloss in event.partial],
            seconds=event.seconds,
        )
        for event in events
        if event is not None
    ]


def timed(events: list[dict]) -> list[list[tuple]]:
    """Words and times of events, final and partial, without confidences."""
    return [
        [
            (kind, gloss['gloss'], gloss['start'], gloss['end'])
            for kind in ('final', 'partial')
            for gloss in event[kind]
        ]
        for event in events
    ]


def main(arguments: list[str] | None = None) -> dict:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('page', type=Path, help='folder of tools/export/web.py')
    parser.add_argument('--bundle', required=True, help='that it was made from')
    parser.add_argument('--keypoints', required=True, help='.safetensors')
    parser.add_argument('--clips', type=int, default=20, help='of the file')
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    args = parser.parse_args(arguments)
    # Imported late: --help and refusals answer at once.
    from mmsign.apis import open_network
    from mmsign.datasets.io.keypoint_file import KeypointFile
    from mmsign.keypoints import select_79
    from mmsign.web.points_network import keypoint_network

    network = keypoint_network(open_network(bundle=args.bundle, device='cpu'))
    file = KeypointFile.open(args.keypoints)
    chosen = sorted(file.clip_ids)[: args.clips]
    points = np.concatenate([select_79(file.read(name)) for name in chosen])
    size, fps = network.pipeline.frame_size or (640, 480), network.fps or DEFAULT_FPS
    stream = stream_of(points.astype(np.float32), size, fps)
    found, expected = run_page(args.page, stream), run_python(network, stream)
    differing = sum(a != b for a, b in zip(timed(found['events']), timed(expected)))
    differing += abs(len(found['events']) - len(expected))
    rows = {
        'stream, s': len(points) / fps,
        'glosses': sum(len(event['final']) for event in expected),
        'events that differ from Python': differing,
        'real-time factor, WebAssembly on one core': found['compute']
        / (len(points) / fps),
    }
    show('the page against Python', rows, args.json)
    if differing:
        raise ConfigError(f'{args.page} does not say what Python says: export it anew')
    return rows


if __name__ == '__main__':
    with reported_errors():
        main()
