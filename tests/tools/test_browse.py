from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from tiny_run import TOOLS, load_tool
from tiny_video import write_video

from mmsign.toy.corpus import invent_sentences, write_corpus

tool = load_tool('data/browse')
CONFIG = str(TOOLS.parent / 'configs' / 'twostream_slr_toy.py')


@pytest.fixture(scope='module')
def corpus(tmp_path_factory):
    root = tmp_path_factory.mktemp('toy')
    sentences = invent_sentences(dict(train=2, dev=2, test=1), citations=0, seed=3)
    write_corpus(root, sentences, 'phoenix2014T', size=(42, 52), seed=3, workers=1)
    return root


@pytest.fixture
def browse(corpus, tmp_path):
    def browse(*arguments: str) -> list[Path]:
        out = tmp_path / 'out'
        settings = [f'--cfg-options=data_root={corpus}']
        tool.main([CONFIG, f'--out={out}', *settings, *arguments])
        return sorted(path for path in out.rglob('*') if path.is_file())

    return browse


def test_writes_a_picture_of_each_clip(browse, capsys):
    pictures = browse('--columns=3', '--side=40')
    assert len(pictures) == 2
    image = cv2.imread(str(pictures[0]))
    assert image.shape[1] == 120 and image.shape[0] > 80
    assert str(pictures[0]) in capsys.readouterr().out


def test_writes_a_video_of_a_named_clip(browse):
    (video,) = browse('--split=dev', '--clips=dev-00001', '--video', '--side=41')
    assert video.name == 'dev-00001.mp4'
    assert cv2.VideoCapture(str(video)).read()[1].shape[1] == 82


@pytest.mark.parametrize(
    ('arguments', 'name'),
    [
        (['--clips=9'], "'9'"),
        (['--columns=0'], '--columns'),
        (['--out=CORPUS'], 'the output'),
        (['--cfg-options', 'data_root=absent'], "'absent'"),
    ],
)
def test_mistakes_are_told_in_a_line(browse, corpus, arguments, name, capsys):
    with pytest.raises(SystemExit) as ended:
        browse(*(argument.replace('CORPUS', str(corpus)) for argument in arguments))
    said = capsys.readouterr().err
    assert ended.value.code == 1 and name in said and len(said.splitlines()) == 1


def test_videos_of_a_corpus_are_not_written_over(corpus, tmp_path, capsys):
    """Where they are, the manifest says: outside of the corpus' folder."""
    video = tmp_path / 'videos' / 'a.mp4'
    video.parent.mkdir()
    write_video(video, 8)
    before = video.read_bytes()
    (tmp_path / 'corpus').mkdir()
    rows = f'id,video,glosses,split\na,{video},REGEN,train\n'
    (tmp_path / 'corpus' / 'manifest.csv').write_text(rows)
    config = str(TOOLS.parent / 'configs' / 'video_slr_folder.py')
    settings = f'--cfg-options=data_root={tmp_path}/corpus'
    with pytest.raises(SystemExit):
        tool.main([config, '--video', f'--out={video.parent}', settings])
    assert 'a.mp4' in capsys.readouterr().err and video.read_bytes() == before
