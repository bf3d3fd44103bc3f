"""Make the pictures of docs/gallery.md anew.

    python docs/gallery/make.py WORK_DIR DATA [--packages NODE_MODULES] [--clip CLIP]

WORK_DIR is a quickstart's, with toy.bundle and predictions.jsonl, DATA its toy corpus.
Needs the extra [export], Node.js, Chromium and the packages of npm with which the page
is tested (docs/web.md). Runs the commands of docs/gallery.md.
"""

from __future__ import annotations

import argparse
import html
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / 'tests' / 'support')]

from web_page import landmarks_of, play, serve, write_webm  # noqa: E402

from mmsign.datasets import KeypointFile  # noqa: E402
from mmsign.interop.elan import read_elan  # noqa: E402
from mmsign.keypoints import select_79  # noqa: E402
from mmsign.web.packages import fetched  # noqa: E402

HERE = Path(__file__).resolve().parent
CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
STYLE = """
body { margin: 0; font: 14px sans-serif }
pre { margin: 0; padding: 16px; background: #16181d; color: #d8dee9; font-size: 13px;
      min-height: 100vh; white-space: pre-wrap }
b { color: #8fd3a8 }
.tier { position: relative; height: 30px; border-bottom: 1px solid #ccc }
.tier span { position: absolute; left: 8px; top: 7px; font-size: 12px }
.tier i { position: absolute; top: 5px; height: 18px; border: solid #333;
          border-width: 0 1px; font: 11px sans-serif; text-align: center }
.tier i::before { content: ''; display: block; height: 3px; background: #333 }
"""


def run(*command: str | Path) -> str:
    """What a tool prints."""
    print('+', *command)
    environment = os.environ | dict(PYTHONPATH=str(ROOT))
    words = [sys.executable, *map(str, command)]
    return subprocess.run(
        words, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def shoot(page: Path, name: str, width: int, height: int) -> None:
    """A picture of a page in Chromium."""
    target = page.with_suffix('.png')
    options = ['--headless', '--no-sandbox', '--hide-scrollbars', '--disable-gpu']
    options += ['--disable-dev-shm-usage', f'--window-size={width},{height}']
    subprocess.run(
        [CHROMIUM, *options, f'--screenshot={target}', page.as_uri()],
        stderr=subprocess.DEVNULL,
        check=True,
    )
    save(target, name)


def save(picture: Path, name: str, height: int = 1200) -> None:
    """With 256 colours, no wider than a page of the documentation, cut below."""
    with Image.open(picture) as image:
        image = image.convert('RGB').crop(
            (0, 0, image.width, min(image.height, height))
        )
        image.thumbnail((1100, height))
        image = image.quantize(256, dither=Image.Dither.NONE)
    image.save(HERE / f'{name}.png', optimize=True)


def terminal(sessions: list[tuple[str, str]]) -> str:
    """A page with commands, and what each printed."""
    text = '\n'.join(
        f'<b>$ python {html.escape(command)}</b>\n{html.escape(printed)}'
        for command, printed in sessions
    )
    return f'<meta charset="utf-8"><style>{STYLE}</style><pre>{text}</pre>'


def tiers(eaf: Path) -> tuple[str, int]:
    """A page with the tiers of an .eaf as ELAN places them, and their number."""
    found = read_elan(eaf).tiers
    latest = max(one.end for tier in found.values() for one in tier.annotations)
    rows = []
    for name, tier in found.items():
        row = f'<span>{html.escape(name)}</span>'
        for one in tier.annotations:
            left, width = (80 * t / latest for t in (one.start, one.end - one.start))
            place = f'left:{18 + left}%;width:{width}%'
            row += f'<i style="{place}">{html.escape(one.symbol)}</i>'
        rows.append(f'<div class="tier">{row}</div>')
    style = f'<meta charset="utf-8"><style>{STYLE}</style>'
    return style + ''.join(rows), len(rows)


def browser(page: Path, packages: Path, frames: Path, points, folder: Path) -> None:
    """The page with the clip as a file, and its keypoints in place of MediaPipe's."""
    images = [cv2.imread(str(path)) for path in sorted(frames.iterdir())]
    # Codecs want more than the few pixels of a toy video.
    large = [cv2.resize(image, None, fx=4, fy=4) for image in images]
    assert write_webm(folder / 'clip.webm', large), 'this OpenCV writes no WebM'
    size = images[0].shape[1::-1]
    host, close = serve(page)
    settings = dict(
        chromium=CHROMIUM,
        url=f'http://{host}/',
        fake=None,
        recorded=landmarks_of(points, page, size),
        scenes=[('look', str(folder / 'clip.webm'))],
        shots=str(folder),
    )
    print(play(packages / 'playwright-core' / 'index.mjs', settings)['look'])
    close()
    save(folder / 'page.png', 'page', 990)
    save(folder / 'phone.png', 'phone', 1195)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('work_dir', type=Path)
    parser.add_argument('data', type=Path)
    parser.add_argument('--packages', help='a node_modules')
    parser.add_argument('--clip', default='test-00003')
    args = parser.parse_args()
    work, data = args.work_dir.resolve(), args.data.resolve()
    packages = fetched(args.packages)
    frames = data / 'features' / 'fullFrame-210x260px' / 'test' / args.clip
    keypoints, bundle = data / 'keypoints.safetensors', work / 'toy.bundle'
    infer = ['tools/infer.py', frames, '--keypoints', keypoints, '--bundle', bundle]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scored = [f'predictions.{kind}.txt' for kind in ('reference', 'average')]
        score = ['tools/score.py', 'wer', *(work / name for name in scored)]
        printed = [
            (
                'tools/infer.py clip.mp4 --keypoints clip.json --bundle toy.bundle',
                run(*infer).replace(str(frames), 'clip.mp4'),
            ),
            (f'tools/score.py wer {" ".join(scored)}', run(*score)),
        ]
        (folder / 'terminal.html').write_text(terminal(printed), 'utf-8')
        shoot(folder / 'terminal.html', 'terminal', 900, 120)
        run(*infer, '--out', folder / 'clip.png')
        save(folder / 'clip.png', 'timeline')
        run(*infer, '--out', folder / 'clip.eaf')
        page, rows = tiers(folder / 'clip.eaf')
        (folder / 'elan.html').write_text(page, 'utf-8')
        shoot(folder / 'elan.html', 'elan', 1000, 31 * rows)
        report = folder / 'report.html'
        dump = work / 'predictions.jsonl'
        run('tools/analysis/report.py', dump, report, '--output', 'video')
        shoot(report, 'report', 1000, 1100)
        out = ['tools/export/web.py', bundle, folder / 'web', '--packages', packages]
        run(*out)
        points = select_79(KeypointFile(str(keypoints)).read(args.clip))
        browser(folder / 'web', packages, frames, points, folder)
    for path in sorted(HERE.glob('*.png')):
        print(f'{path.stat().st_size / 1000:.0f} kB {path.name}')


if __name__ == '__main__':
    main()
