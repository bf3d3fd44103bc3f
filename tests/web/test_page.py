"""The page in a real browser, Chromium, with a video file as camera.

Recorded landmarks stand in for the landmark model, but for the last test, which needs
``--web-clip=PATH``. With ``--web-shots=FOLDER`` it leaves pictures of what is seen.
"""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_run import load_tool
from tiny_signing import signing

from mmsign.interop.subtitles import write_subtitles
from mmsign.structures import TimedGloss

pytestmark = pytest.mark.slow
SUPPORT = Path(__file__).parents[1] / 'support'
SIZE = (96, 80)
PLAN = 'r' * 5 + 'm' * 30 + 'r' * 6 + 'm' * 34 + 'r' * 8


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


@pytest.fixture(scope='module')
def browse(node, packages, write_page, heatmap_network, tmp_path_factory, request):
    """Plays scenes on the network's page: see ``web_browser.mjs``."""
    chromium = shutil.which('chromium') or shutil.which('chromium-browser')
    playwright = packages / 'playwright-core' / 'index.mjs'
    if chromium is None or not playwright.is_file():
        pytest.skip('no chromium, or no playwright-core among the packages')
    page = write_page(heatmap_network)
    handler = functools.partial(Quiet, directory=page.parents[1])
    server = http.server.ThreadingHTTPServer(('localhost', 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f'localhost:{server.server_port}'
    settings = dict(chromium=chromium, url=f'http://{host}/sub/page/')
    settings['shots'] = request.config.getoption('--web-shots')

    def browse(recorded, *scenes, fake: Path | None = None) -> dict:
        given = settings | dict(recorded=recorded, scenes=scenes)
        given['fake'] = None if fake is None else str(fake)
        done = subprocess.run(
            [node, SUPPORT / 'web_browser.mjs', playwright],
            input=json.dumps(given),
            capture_output=True,
            encoding='utf-8',
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    browse.host, browse.page = host, page
    yield browse
    server.shutdown()


@pytest.fixture(scope='module')
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('videos') / 'clip.webm'
    return write_webm(path, [picture(k) for k in range(len(PLAN))])


def picture(k: int) -> np.ndarray:
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    cv2.circle(image, (48, 30), 14, (150, 180, 220), -1)
    cv2.circle(image, (20 + k % 50, 60), 8, (150, 180, 220), -1)
    return image


def write_webm(path: Path, images: list[np.ndarray]) -> Path:
    code = cv2.VideoWriter_fourcc(*'VP80')
    writer = cv2.VideoWriter(str(path), code, 25.0, images[0].shape[1::-1])
    if not writer.isOpened():
        pytest.skip('this OpenCV writes no WebM')
    for image in images:
        writer.write(image)
    writer.release()
    return path


def write_y4m(path: Path) -> Path:
    """What Chromium takes for a camera."""
    with open(path, 'wb') as file:
        file.write(f'YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F25:1 Ip A1:1 C420\n'.encode())
        for k in range(25):
            planes = cv2.cvtColor(picture(k), cv2.COLOR_BGR2YUV_I420)
            file.write(b'FRAME\n' + planes.tobytes())
    return path


def points_of(plan: str) -> np.ndarray:
    points = signing(plan)
    rng = np.random.default_rng(0)
    points[:, 16:58, :2] += rng.normal(0, 6, (len(plan), 42, 2)).cumsum(0) / 4
    return points.astype(np.float32)


def landmarks_of(points: np.ndarray, page: Path) -> list[dict]:
    """As MediaPipe would have found them."""
    table = json.loads((page / 'network.json').read_text())['landmarks']
    lists = 'poseLandmarks', 'faceLandmarks', 'leftHandLandmarks', 'rightHandLandmarks'
    frames = []
    for frame in points.astype(np.float64):
        found = {name: [None] * count for name, count in zip(lists, (33, 468, 21, 21))}
        for (part, number), (x, y, score) in zip(table, frame):
            place = dict(x=(x + 0.5) / SIZE[0], y=(y + 0.5) / SIZE[1])
            found[lists[part]][number] = place | dict(visibility=score)
        frames.append(found)
    return frames


def said_by_python(network, points: np.ndarray) -> list[dict]:
    """Scores of face and hands are 1, as MediaPipe has none."""
    points = points.copy()
    points[:, :68, 2] = 1
    tool = load_tool('benchmark/web')
    stream = tool.stream_of(points, SIZE, network.fps)
    return tool, stream, tool.run_python(network, stream)


def test_a_file_and_a_camera(browse, video, heatmap_network, tmp_path):
    points = points_of(PLAN)
    recorded = landmarks_of(points, browse.page)
    found = browse(
        recorded,
        ('file', str(video)),
        ('camera', None),
        fake=write_y4m(tmp_path / 'a.y4m'),
    )
    file, camera = found['file'], found['camera']
    assert abs(file['sent'] - len(PLAN)) <= 1
    _, _, events = said_by_python(heatmap_network, points[: file['sent']])
    glosses = [gloss for event in events for gloss in event['final']]
    assert len(glosses) > 3 and len(file['glosses']) == file['bars'] == len(glosses)
    for shown, gloss in zip(file['glosses'], glosses):
        name, times, sure = shown.split('\n')
        assert name == gloss['gloss']
        assert times == f'{gloss["start"]:.2f} – {gloss["end"]:.2f} s'
        assert abs(int(sure.split()[0]) - 100 * gloss['confidence']) <= 0.6
    timed = [TimedGloss(g['gloss'], g['start'], g['end'] - g['start']) for g in glosses]
    write_subtitles(tmp_path / 'a.vtt', timed)
    assert file['captions'] == (tmp_path / 'a.vtt').read_text() == file['copied']
    assert file['seconds'] == pytest.approx(glosses[-1]['start'], abs=0.05)
    assert 'clipboard' in file['status'] and not file['unnamed']
    assert file['german'] == ['de', 'Kamera verwenden']
    assert file['width'] <= 360 and len(file['again']) == len(glosses)
    assert 'frames/s' in camera['speed'] and camera['isOff'] and camera['status']
    for one in (file, camera):
        assert one['hosts'] == [browse.host] and not one['errors']


def test_the_recognizer_says_the_same_in_a_browser(browse, heatmap_network):
    tool, stream, expected = said_by_python(heatmap_network, points_of(PLAN))
    found = browse(landmarks_of(points_of('m'), browse.page), ('stream', stream))
    assert tool.timed(found['stream']) == tool.timed(expected)


def test_bad_input_is_explained(browse, video, tmp_path):
    text = tmp_path / 'film.mp4'
    text.write_text('no film')
    nobody = [dict(poseLandmarks=None)]
    scenes = [(name, None) for name in ('denied', 'missing', 'simd', 'lost', 'wrong')]
    scenes += [('undecodable', str(text)), ('nobody', str(video))]
    found = browse(nobody, *scenes)
    for scene, words in dict(
        denied='may not be used',
        missing='No camera was found',
        undecodable='cannot decode film.mp4',
        simd='SIMD',
        lost='network.onnx: 404',
        wrong='wrong numbers',
    ).items():
        assert words in found[scene]
    assert found['nobody']


def test_the_landmark_model_finds_somebody(browse, request, tmp_path):
    clip = request.config.getoption('--web-clip')
    if clip is None:
        pytest.skip('name a video of somebody: --web-clip=PATH')
    capture, images = cv2.VideoCapture(clip), []
    capture.set(cv2.CAP_PROP_POS_FRAMES, 10)
    while len(images) < 4:
        is_there, image = capture.read()
        assert is_there, f'{clip} has too few frames'
        images.append(image)
    found = browse(None, ('real', str(write_webm(tmp_path / 'a.webm', images))))['real']
    assert found['drawn'] > 500 and found['status'].startswith('Done')
    assert found['hosts'] == [browse.host] and not found['errors']
