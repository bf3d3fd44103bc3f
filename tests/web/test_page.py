"""The page in a real browser, Chromium, with a video file as camera.

Recorded landmarks stand in for the landmark model, but for the last test, which needs
``--web-clip=PATH``. With ``--web-shots=FOLDER`` it leaves pictures of what is seen.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_run import load_tool
from tiny_signing import signing
from web_page import landmarks_of, play, serve, write_webm

from mmsign.interop.subtitles import write_subtitles
from mmsign.structures import TimedGloss

pytestmark = pytest.mark.slow
SIZE = (96, 80)
PLAN = 'r' * 5 + 'm' * 30 + 'r' * 6 + 'm' * 34 + 'r' * 8


@pytest.fixture(scope='module')
def browse(node, packages, write_page, heatmap_network, tmp_path_factory, request):
    """Plays scenes on the network's page: see ``web_browser.mjs``."""
    chromium = shutil.which('chromium') or shutil.which('chromium-browser')
    playwright = packages / 'playwright-core' / 'index.mjs'
    if chromium is None or not playwright.is_file():
        pytest.skip('no chromium, or no playwright-core among the packages')
    page = write_page(heatmap_network)
    host, close = serve(page.parents[1])
    settings = dict(chromium=chromium, url=f'http://{host}/sub/page/')
    settings['shots'] = request.config.getoption('--web-shots')

    def browse(recorded, *scenes, fake: Path | None = None) -> dict:
        given = settings | dict(recorded=recorded, scenes=scenes)
        given['fake'] = None if fake is None else str(fake)
        return play(playwright, given)

    browse.host, browse.page = host, page
    yield browse
    close()


@pytest.fixture(scope='module')
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('videos') / 'clip.webm'
    if not write_webm(path, [picture(k) for k in range(len(PLAN))]):
        pytest.skip('this OpenCV writes no WebM')
    return path


def picture(k: int) -> np.ndarray:
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    cv2.circle(image, (48, 30), 14, (150, 180, 220), -1)
    cv2.circle(image, (20 + k % 50, 60), 8, (150, 180, 220), -1)
    return image


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


def said_by_python(network, points: np.ndarray) -> list[dict]:
    """Scores of face and hands are 1, as MediaPipe has none."""
    points = points.copy()
    points[:, :68, 2] = 1
    tool = load_tool('benchmark/web')
    stream = tool.stream_of(points, SIZE, network.fps)
    return tool, stream, tool.run_python(network, stream)


def test_a_file_and_a_camera(browse, video, heatmap_network, tmp_path):
    points = points_of(PLAN)
    recorded = landmarks_of(points, browse.page, SIZE)
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
    found = browse(landmarks_of(points_of('m'), browse.page, SIZE), ('stream', stream))
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
    assert write_webm(tmp_path / 'a.webm', images)
    found = browse(None, ('real', str(tmp_path / 'a.webm')))['real']
    assert found['drawn'] > 500 and found['status'].startswith('Done')
    assert found['hosts'] == [browse.host] and not found['errors']
