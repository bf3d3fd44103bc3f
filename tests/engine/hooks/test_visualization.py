"""Clips are drawn when asked for, and nothing stays of it."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from memory_backend import MemoryBackend
from mmengine.visualization import Visualizer
from tiny_models import sample, single_stream, two_stream
from tiny_run import TinyModel
from tiny_translators import build_translator

from mmsign.engine.hooks import SignVisualizationHook
from mmsign.engine.hooks.visualization import file_name
from mmsign.errors import ConfigError
from mmsign.visualization import SignVisualizer


def batch(names, *frames: int) -> dict:
    """What a data loader gives; clips have 16 frames, or as many as are said."""
    generator = torch.Generator().manual_seed(0)
    counts = frames or (16,) * len(names)
    video = [torch.rand(3, n, 32, 32, generator=generator) * 255 for n in counts]
    return dict(
        inputs=dict(
            video=[clip.to(torch.uint8) for clip in video],
            keypoints=[torch.rand(n, 79, 3, generator=generator) * 60 for n in counts],
        ),
        data_samples=[sample(n, clip_id=name) for n, name in zip(counts, names)],
    )


class Quick(SignVisualizer):
    """Hands on pictures of one pixel."""

    def draw(self, *arguments, **settings):
        return np.zeros((1, 1, 3), np.uint8)


class Run:
    """A loop of MMEngine's runner over batches."""

    def __init__(self, model, cfg=None, visualizer=None, kind=Quick):
        self.backend = MemoryBackend()
        self.runner = SimpleNamespace(
            model=model.eval(),
            visualizer=visualizer or kind('t', vis_backends=[self.backend]),
            cfg=cfg or {},
            epoch=3,
            iter=70,
            log_processor=SimpleNamespace(by_epoch=True),
        )

    def __call__(self, hook, *batches, mode='val'):
        runner = self.runner
        getattr(hook, f'before_{mode}_epoch')(runner)
        outputs = []
        for index, data in enumerate(batches):
            found = runner.model.val_step(data)
            getattr(hook, f'after_{mode}_iter')(runner, index, data, found)
            outputs += found
        return outputs

    @property
    def names(self):
        return [name for name, _, _ in self.backend.images]


@pytest.fixture(scope='module')
def both():
    return two_stream()


@pytest.mark.slow
def test_every_nth_clip_is_drawn_up_to_a_number(both):
    run = Run(both)
    clips = batch('abc'), batch('def'), batch('gh')
    run(SignVisualizationHook(True, interval=2), *clips)
    assert run.names == ['val_a', 'val_c', 'val_e', 'val_g']
    assert {step for _, _, step in run.backend.images} == {3}
    run.backend.images.clear()
    hook = SignVisualizationHook(True, interval=2, num_clips=3)
    for _ in range(2):  # counted anew each time
        run(hook, *clips, mode='test')
    assert run.names == ['test_a', 'test_c', 'test_e'] * 2
    assert {step for _, _, step in run.backend.images} == {0}


def test_training_counted_in_iterations_gives_iterations(both):
    run = Run(both)
    run.runner.log_processor.by_epoch = False
    run(SignVisualizationHook(True), batch('a'))
    assert run.backend.images[0][2] == 70


def test_nothing_is_changed(both):
    off, on = Run(both), Run(both)
    without = off(SignVisualizationHook(), batch('ab'))
    drawn = on(SignVisualizationHook(True), batch('ab'))
    assert not off.backend.images and len(on.backend.images) == 2
    for a, b in zip(without, drawn):
        assert a.predictions == b.predictions and a.keys() == b.keys()


def test_off_it_asks_for_nothing():
    hook, nothing = SignVisualizationHook(), SimpleNamespace()
    hook.before_val_epoch(nothing)
    hook.after_test_iter(nothing, 0, None, None)


def test_in_training_nothing_is_drawn():
    hook, nothing = SignVisualizationHook(True), SimpleNamespace()
    hook.before_train_epoch(nothing)
    hook.after_train_iter(nothing, 0, None, dict(loss=1.0))


@pytest.mark.parametrize('name', ['video', 'keypoint'])
def test_single_streams(name):
    run, data = Run(single_stream(name), kind=SignVisualizer), batch('a')
    del data['inputs']['keypoints' if name == 'video' else 'video']
    run(SignVisualizationHook(True), data)
    (_, image, _) = run.backend.images[0]
    # One output, and one row of frames or a second one of heatmaps.
    assert 350 < len(image) < 650


@pytest.fixture
def seen(both, monkeypatch):
    """What is drawn of two clips, the second one padded."""
    seen = []

    def look(self, name, view, data_sample, posteriors, **settings):
        seen.append((view, posteriors, settings))

    monkeypatch.setattr(Quick, 'add_datasample', look)
    run = Run(both, cfg=dict(corpus=dict(fps=25.0)))
    run(SignVisualizationHook(True), batch('ab', 16, 8))
    return seen


def test_heatmaps_and_probabilities_are_those_of_the_network(both, seen):
    view, posteriors, settings = seen[0]
    ready = both.data_preprocessor(batch('ab', 16, 8))
    maps = view.draw_heatmaps(view.keypoints[3:5])
    np.testing.assert_allclose(maps, ready['inputs']['heatmaps'][0, :, 3:5])
    outputs = both(**ready, mode='tensor')
    found = posteriors.probabilities
    assert list(found) == ['video', 'keypoint', 'joint', 'average']
    for name in ('video', 'keypoint', 'joint'):
        expected = outputs[name][0].softmax(-1).detach()
        np.testing.assert_allclose(found[name], expected, atol=1e-6)
    assert settings['fps'] == 25.0


def test_padding_is_not_drawn(seen):
    assert [x.edges.tolist() for _, x, _ in seen] == [[0, 4, 8, 12, 16], [0, 4, 8]]
    assert [len(x.probabilities['joint']) for _, x, _ in seen] == [4, 2]


@pytest.mark.slow
def test_translators_show_their_recognizer():
    run = Run(build_translator('video', 'joint'), kind=SignVisualizer)
    found = run(SignVisualizationHook(True), batch('a'))
    assert run.names == ['val_a'] and found[0].translations


def test_files_are_written_to_a_folder(both, tmp_path):
    run = Run(both)
    hook = SignVisualizationHook(True, out_dir=str(tmp_path / 'new'))
    run(hook, batch(['S1/regen']), mode='test')
    run(hook, batch(['S1/regen']))
    assert {path.name for path in (tmp_path / 'new').iterdir()} == {
        'S1%2Fregen.png',
        'S1%2Fregen_3.png',
    }
    assert cv2.imread(str(tmp_path / 'new' / 'S1%2Fregen.png')) is not None
    assert not run.backend.images


def test_names_of_files_are_safe_and_distinct():
    assert file_name('11August_2010-1.2') == '11August_2010-1.2'
    assert file_name('übung 天气') == 'übung 天气'
    assert len({file_name(x) for x in ('a/b', 'a_b', 'a%2Fb', 'a\\b', 'a:b')}) == 5
    assert '/' not in file_name('../../x')


def test_other_visualizers_and_models_are_refused(both):
    hook = SignVisualizationHook(True)
    with pytest.raises(ConfigError, match='Visualizer'):
        Run(both, visualizer=Visualizer('plain'))(hook)
    with pytest.raises(ConfigError, match='TinyModel'):
        Run(TinyModel())(hook, mode='test')


@pytest.mark.parametrize('settings', [dict(interval=0), dict(num_clips=0)])
def test_bad_numbers_are_refused(settings):
    with pytest.raises(ConfigError, match='interval'):
        SignVisualizationHook(**settings)
