from __future__ import annotations

import cv2
import numpy as np
import pytest
from memory_backend import MemoryBackend
from tiny_models import sample
from tiny_predictions import prediction

from mmsign.errors import ConfigError
from mmsign.structures import TranslationPrediction
from mmsign.visualization import ClipPosteriors, ClipView, SignVisualizer
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN', 'WIND', 'SNOW'])
NOTHING = ClipView((0, 0, 1, 1))


@pytest.fixture
def backend():
    return MemoryBackend()


@pytest.fixture
def visualizer(backend):
    return SignVisualizer('test', vis_backends=[backend])


def clip(frames=32, outputs=('video', 'average'), glosses=('RAIN', 'SUN')):
    """View, data sample and posteriors of a clip."""
    steps = frames // 4
    one = np.full((steps, len(VOCAB)), 0.01, np.float32)
    one[:, 0], one[1, 1], one[1, 0] = 0.96, 0.96, 0.01
    found = sample(frames, glosses)
    found.predictions = {name: prediction(['RAIN'], [(4, 8)]) for name in outputs}
    posteriors = ClipPosteriors(
        VOCAB, dict.fromkeys(outputs, one), np.arange(0, frames + 1, 4.0)
    )
    keypoints = np.full((frames, 79, 3), (32, 40, 1), np.float32)
    video = np.full((frames, 16, 16, 3), 90, np.uint8)
    return ClipView(found.crop_box, video, keypoints), found, posteriors


def test_backends_get_a_picture(visualizer, backend):
    visualizer.add_datasample('val_clip', *clip(), fps=25, step=7)
    ((name, image, step),) = backend.images
    assert (name, step) == ('val_clip', 7)
    assert image.shape[1:] == (1600, 3) and image.dtype == np.uint8
    assert image.flags.c_contiguous  # OpenCV asks it
    assert (image == (255, 255, 255)).mean() > 0.5


def test_a_file_is_written_instead(visualizer, backend, tmp_path):
    path = tmp_path / 'new' / 'ä.png'
    visualizer.add_datasample('x', *clip(), out_file=str(path))
    assert cv2.imread(str(path)).shape[1] == 1600 and not backend.images
    with pytest.raises(OSError, match='new'):
        visualizer.add_datasample('x', *clip(), out_file=str(tmp_path / 'new'))


def test_tensorboard_gets_the_picture(tmp_path):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing import event_accumulator as events

    visualizer = SignVisualizer(
        'board',
        vis_backends=[dict(type='TensorboardVisBackend')],
        save_dir=str(tmp_path),
    )
    visualizer.add_datasample('val_clip', *clip(), step=3)
    visualizer.close()
    read = events.EventAccumulator(str(tmp_path / 'vis_data'))
    read.Reload()
    (image,) = read.Images('val_clip')
    assert (image.step, image.width) == (3, 1600)


def height(visualizer, *data, **settings) -> int:
    return len(visualizer.draw(*data, **settings))


@pytest.mark.slow
def test_long_clips_become_high(visualizer):
    _, *one = clip(80)
    _, *two = clip(200)
    settings = dict(fps=10)  # 8 and 20 seconds
    lower = height(visualizer, NOTHING, *one, **settings)
    assert height(visualizer, NOTHING, *two, **settings) > 1.7 * lower
    assert height(visualizer, NOTHING, *two, fps=25) == lower


def test_reference_and_predictions_can_be_left_out(visualizer):
    data = clip()
    full = height(visualizer, *data)
    assert height(visualizer, *data, draw_gt=False) < full
    bare = visualizer.draw(*data, draw_pred=False)
    dark = (bare == (51, 51, 51)).all(-1).sum()
    assert dark < 200


@pytest.mark.slow
def test_a_sentence_and_its_translations_are_written(visualizer):
    _, found, _ = data = clip()
    plain = height(visualizer, *data)
    found.set_field('morgen regen .', 'text', field_type='metainfo')
    one = height(visualizer, *data)
    found.translations = {'joint': TranslationPrediction('regen . ' * 60, -1.0)}
    more = height(visualizer, *data)
    assert plain < one < more


@pytest.mark.slow
@pytest.mark.parametrize('glosses', [(), ('HAIL',), ('RAIN',) * 40])
def test_any_reference_can_be_drawn(visualizer, glosses):
    assert height(visualizer, *clip(glosses=glosses)) > 200


def test_a_clip_without_a_step_can_be_drawn(visualizer):
    view, found, _ = clip(8)
    empty = ClipPosteriors(
        VOCAB, {'video': np.zeros((0, 5), np.float32)}, np.array([0.0])
    )
    found.predictions = {'video': prediction([])}
    assert height(visualizer, view, found, empty) > 200


def test_letters_without_a_font_are_told_once(visualizer, monkeypatch):
    module, told = 'mmsign.visualization.visualizer', []
    monkeypatch.setattr(f'{module}.font_families', lambda font: ('DejaVu Sans',))
    monkeypatch.setattr(f'{module}.warn', told.append)
    data = clip(glosses=('天',))
    visualizer.draw(*data)
    visualizer.draw(*data)
    (text,) = told
    assert "can draw '天'" in text and 'visualizer.font=FILE' in text


def test_bad_settings_are_refused(tmp_path):
    with pytest.raises(ConfigError, match='seconds_per_row'):
        SignVisualizer('bad', seconds_per_row=0)
    with pytest.raises(ConfigError, match='gone'):
        SignVisualizer('bad', font=str(tmp_path / 'gone.ttf'))
