"""Opens the page of ``mmsign export web`` in Chromium: see ``web_browser.mjs``."""

from __future__ import annotations

import functools
import http.server
import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


def serve(folder: Path) -> tuple[str, Callable[[], None]]:
    """Hand out a folder: at which host and port, and what ends it."""
    handler = functools.partial(Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(('localhost', 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f'localhost:{server.server_port}', server.shutdown


def play(playwright: Path, settings: dict) -> dict:
    """What was seen in each scene."""
    script = Path(__file__).with_name('web_browser.mjs')
    done = subprocess.run(
        ['node', script, playwright],
        input=json.dumps(settings),
        capture_output=True,
        encoding='utf-8',
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write_webm(path: Path, images: list[np.ndarray]) -> bool:
    """Of 25 frames per second; False if this OpenCV cannot."""
    code = cv2.VideoWriter_fourcc(*'VP80')
    writer = cv2.VideoWriter(str(path), code, 25.0, images[0].shape[1::-1])
    if not writer.isOpened():
        return False
    for image in images:
        writer.write(image)
    writer.release()
    return True


def landmarks_of(points: np.ndarray, page: Path, size: tuple) -> list[dict]:
    """As MediaPipe would have found keypoints (N, 79, 3) in frames of (w, h) pixels."""
    table = json.loads((page / 'network.json').read_text())['landmarks']
    lists = 'poseLandmarks', 'faceLandmarks', 'leftHandLandmarks', 'rightHandLandmarks'
    frames = []
    for frame in points.astype(np.float64):
        found = {name: [None] * count for name, count in zip(lists, (33, 468, 21, 21))}
        for (part, number), (x, y, score) in zip(table, frame):
            place = dict(x=(x + 0.5) / size[0], y=(y + 0.5) / size[1])
            found[lists[part]][number] = place | dict(visibility=score)
        frames.append(found)
    return frames
