import importlib.util
from pathlib import Path

import cv2
import pytest

from mmsign.toy.corpus import invent_sentences, write_corpus

ROOT = Path(__file__).resolve().parents[2]
CONFIG = str(ROOT / 'configs' / 'twostream_slr_toy.py')


@pytest.fixture(scope='module')
def tool():
    path = ROOT / 'tools' / 'data' / 'browse.py'
    spec = importlib.util.spec_from_file_location('browse', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def corpus(tmp_path_factory):
    root = tmp_path_factory.mktemp('toy')
    sentences = invent_sentences(dict(train=2, dev=2, test=1), citations=0, seed=3)
    write_corpus(root, sentences, 'phoenix2014T', size=(42, 52), seed=3, workers=1)
    return root, sentences['dev'][1].clip_id


@pytest.fixture
def browse(tool, corpus, tmp_path):
    def browse(*arguments: str) -> list[Path]:
        root, _ = corpus
        options = [f'--out={tmp_path / "out"}', f'--cfg-options=data_root={root}']
        tool.main([CONFIG, *options, *arguments])
        return sorted(p for p in (tmp_path / 'out').rglob('*') if p.is_file())

    return browse


def test_writes_a_picture_of_each_clip(browse, capsys):
    pictures = browse('--columns=3', '--side=40')
    assert len(pictures) == 2
    image = cv2.imread(str(pictures[0]))
    assert image.shape[1] == 120 and image.shape[0] > 80
    assert str(pictures[0]) in capsys.readouterr().out


def test_writes_a_video_of_a_named_clip(browse, corpus):
    (video,) = browse('--split=dev', f'--clips={corpus[1]}', '--video', '--side=41')
    assert video.name == f'{corpus[1]}.mp4'
    capture = cv2.VideoCapture(str(video))
    assert capture.read()[1].shape[1] == 82


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--clips=9'], "the train split has no clip '9'; it has 2 clips"),
        (['--columns=0'], '--columns must be 1 or more'),
        (['--cfg-options', 'data_root=absent'], "data_root 'absent'"),
    ],
)
def test_mistakes_are_told_in_a_line(browse, arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        browse(*arguments)
    assert ended.value.code != 0
    assert message in capsys.readouterr().err
