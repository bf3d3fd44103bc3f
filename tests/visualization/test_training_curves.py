import cv2
import pytest
from training_logs import write_log

from mmsign.errors import ConfigError
from mmsign.visualization.training_curves import (
    loss_panels,
    save_curves,
    score_panels,
    summary,
)
from mmsign.visualization.training_log import Curve, TrainingLog, read_log

TIME = '20260101_100000'


@pytest.fixture
def logs(tmp_path):
    write_log(tmp_path / 'one', TIME, range(1, 4))
    write_log(tmp_path / 'two', TIME, range(1, 6), outputs=('video', 'joint'))
    return [read_log(tmp_path / name) for name in ('one', 'two')]


def titles(panels):
    return [panel.title for panel in panels]


def test_outputs_of_one_training_share_a_panel(logs):
    ((title, lines, smallest),) = score_panels(logs[:1])
    assert (title, smallest) == ('WER', True)
    assert [label for label, _, _ in lines] == ['video', 'average']
    assert titles(loss_panels(logs[:1])) == ['loss', 'loss_ctc_video', 'lr']


def test_several_trainings_have_a_panel_per_output(logs):
    panels = score_panels(logs)
    assert titles(panels) == ['video/WER', 'average/WER', 'joint/WER']
    # Each training keeps its colour, also where another is missing.
    numbers = [[number for _, number, _ in lines] for _, lines, _ in panels]
    assert numbers == [[0, 1], [0], [1]]
    assert all(len(lines) == 2 for _, lines, _ in loss_panels(logs))


def translation(**scores):
    curve = Curve((1.0, 2.0), (3.0, 5.0))
    return TrainingLog('t', 'epoch', dict(loss=curve), scores, (), 8)


def test_for_translations_large_is_good():
    log = translation(**{'joint/BLEU-4': Curve((1, 2, 3), (5.0, 9.0, 8.0))})
    ((title, _, smallest),) = score_panels([log])
    assert (title, smallest) == ('BLEU-4', False)
    assert 'joint/BLEU-4  best   9.00 at epoch 2, last 8.00' in summary(log)


def test_unknown_scores_are_drawn_too():
    log = translation(error=Curve((1,), (5.0,)))
    assert titles(score_panels([log])) == ['error']


def test_a_summary(logs):
    assert summary(logs[0]).splitlines() == [
        'one: 12 iterations, to epoch 3',
        '  loss                5.000 -> 0.833',
        '  loss_ctc_video      3.750 -> 0.625',
        '  video/WER       best  77.00 at epoch 3, last 77.00',
        '  average/WER     best  77.00 at epoch 3, last 77.00',
    ]


@pytest.mark.slow
def test_pictures_grow_with_what_is_in_them(logs, tmp_path):
    save_curves(tmp_path / 'new' / 'one.png', logs[:1])
    save_curves(tmp_path / 'two.png', logs)
    one, two = (cv2.imread(str(tmp_path / n)) for n in ('new/one.png', 'two.png'))
    assert one.shape[1] == two.shape[1] == 1600 and len(one) < len(two)
    blue, orange = (178, 114, 0), (0, 94, 213)
    assert (two == orange).all(-1).sum() > 300 and (two == blue).all(-1).sum() > 300
    # The two outputs of the one training.
    assert (one == orange).all(-1).sum() > 300


@pytest.mark.parametrize('values', [(0.0, 0.0), (-1.0, 2.0), (1e-9, 1e6), (5.0, 5.0)])
def test_any_values_can_be_drawn(values, tmp_path):
    curve = Curve((1.0, 2.0), values)
    log = TrainingLog('x $1$', 'epoch', {'loss': curve}, {'a/WER': curve}, (1.0,), 8)
    save_curves(tmp_path / 'x.svg', [log])
    assert (tmp_path / 'x.svg').read_text().startswith('<?xml')


def test_what_cannot_be_drawn_is_refused(logs, tmp_path):
    with pytest.raises(ConfigError, match='docx'):
        save_curves(tmp_path / 'x.docx', logs)
    write_log(tmp_path / 'three', TIME, range(1, 3), by_epoch=False)
    mixed = [*logs, read_log(tmp_path / 'three')]
    with pytest.raises(ConfigError, match='three'):
        save_curves(tmp_path / 'x.png', mixed)
