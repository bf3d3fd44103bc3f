from __future__ import annotations

import cv2
import numpy as np
import pytest
from memory_backend import MemoryBackend
from tiny_models import sample
from tiny_predictions import prediction

from mmsign.structures import TranslationPrediction
from mmsign.visualization import ClipPosteriors, SignVisualizer
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN', 'WIND', 'SNOW'])


@pytest.fixture
def backend():
    return MemoryBackend()


@pytest.fixture
def visualizer(backend):
    return SignVisualizer('test', vis_backends=[backend])


def clip(frames=32, outputs=('video', 'average'), glosses=('RAIN', 'SUN')):
    """Inputs, data sample and posteriors of a clip."""
    steps = frames // 4
    one = np.full((steps, len(VOCAB)), 0.01, np.float32)
    one[:, 0], one[1, 1], one[1, 0] = 0.96, 0.96, 0.01
    found = sample(frames, glosses)
    found.predictions = {name: prediction(['RAIN'], [(4, 8)]) for name in outputs}
    posteriors = ClipPosteriors(
        VOCAB, dict.fromkeys(outputs, one), np.arange(0, frames + 1, 4.0)
    )
    keypoints = np.full((frames, 79, 3), (32, 40, 1), np.float32)
    video = np.full((3, frames, 16, 16), 90, np.uint8)
    return dict(video=video, keypoints=keypoints), found, posteriors


def no_heatmaps(keypoints):
    return np.zeros((79, len(keypoints), 8, 8), np.float32)


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


def height(visualizer, inputs, found, posteriors, **settings) -> int:
    return len(visualizer.draw(inputs, found, posteriors, **settings))


def test_every_input_adds_what_there_is_to_see(visualizer):
    inputs, *rest = clip()
    nothing = height(visualizer, {}, *rest)
    frames = height(visualizer, dict(video=inputs['video']), *rest)
    both = height(visualizer, inputs, *rest, draw_heatmaps=no_heatmaps)
    graph = height(visualizer, dict(keypoints=inputs['keypoints']), *rest)
    side = frames - nothing
    assert 95 < side < 110
    assert graph == frames and both == pytest.approx(nothing + 2 * side, abs=1)


def test_frames_stand_over_their_time(visualizer):
    inputs, *rest = clip()
    inputs['video'] = inputs['video'].copy()
    # The last quarter is blue, in BGR.
    inputs['video'][:, 24:] = np.array([255, 0, 0])[:, None, None, None]
    image = visualizer.draw(dict(video=inputs['video']), *rest)
    columns = np.argwhere((image == (0, 0, 255)).all(-1))[:, 1]
    # Of 14 pictures, over the 1450 pixels from 130 on, those from the 11th on.
    assert abs(columns.min() - (130 + 1450 * 11 / 14)) < 5
    assert abs(columns.max() - 1580) < 5


def test_long_clips_become_high(visualizer):
    _, *one = clip(80)
    _, *two = clip(200)
    settings = dict(fps=10)  # 8 and 20 seconds
    lower = height(visualizer, {}, *one, **settings)
    assert height(visualizer, {}, *two, **settings) > 1.7 * lower
    assert height(visualizer, {}, *two, fps=25) == lower


def test_endless_clips_end_somewhere(visualizer, monkeypatch):
    for module in ('visualizer', 'posterior_figure'):
        monkeypatch.setattr(f'mmsign.visualization.{module}.MOST_ROWS', 2)
    heights = {height(visualizer, *clip(frames), fps=10) for frames in (300, 600)}
    assert len(heights) == 1


def test_reference_and_predictions_can_be_left_out(visualizer):
    data = clip()
    full = height(visualizer, *data)
    assert height(visualizer, *data, draw_gt=False) < full
    bare = visualizer.draw(*data, draw_pred=False)
    dark = (bare == (51, 51, 51)).all(-1).sum()
    assert dark < 200


def test_a_sentence_and_its_translations_are_written(visualizer):
    inputs, found, posteriors = clip()
    plain = height(visualizer, inputs, found, posteriors)
    found.set_field('morgen regen .', 'text', field_type='metainfo')
    one = height(visualizer, inputs, found, posteriors)
    found.translations = {'joint': TranslationPrediction('regen . ' * 60, -1.0)}
    more = height(visualizer, inputs, found, posteriors)
    assert plain < one < more


@pytest.mark.parametrize('glosses', [(), ('HAIL',), ('RAIN',) * 40])
def test_any_reference_can_be_drawn(visualizer, glosses):
    assert height(visualizer, *clip(glosses=glosses)) > 200


def test_a_clip_without_a_step_can_be_drawn(visualizer):
    inputs, found, _ = clip(8)
    empty = ClipPosteriors(
        VOCAB, {'video': np.zeros((0, 5), np.float32)}, np.array([0.0])
    )
    found.predictions = {'video': prediction([])}
    assert height(visualizer, inputs, found, empty) > 200


def test_letters_without_a_font_are_told_once(visualizer, monkeypatch):
    module, told = 'mmsign.visualization.visualizer', []
    monkeypatch.setattr(f'{module}.font_families', lambda font: ('DejaVu Sans',))
    monkeypatch.setattr(f'{module}.print_log', lambda text, **_: told.append(text))
    data = clip(glosses=('天',))
    visualizer.draw(*data)
    visualizer.draw(*data)
    (text,) = told
    assert "can draw '天'" in text and 'visualizer.font=FILE' in text


def test_bad_settings_are_refused(tmp_path):
    with pytest.raises(ValueError, match='must be positive, not 0'):
        SignVisualizer('bad', seconds_per_row=0)
    with pytest.raises(FileNotFoundError, match='gone'):
        SignVisualizer('bad', font=str(tmp_path / 'gone.ttf'))
