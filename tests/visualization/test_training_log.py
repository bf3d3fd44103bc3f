import pytest
from training_logs import write_log

from mmsign.errors import DataError
from mmsign.visualization.training_log import Curve, distinct_names, read_log

FIRST, SECOND, THIRD = '20260101_100000', '20260101_110000', '20260102_090000'


def test_one_start(tmp_path):
    file = write_log(tmp_path / 'run', FIRST, range(1, 4))
    log = read_log(tmp_path / 'run')
    assert (log.name, log.unit, log.iterations, log.starts) == ('run', 'epoch', 12, ())
    assert log.training['loss'].places == (0.5, 1, 1.5, 2, 2.5, 3)
    assert log.training['loss'].values[:2] == (5.0, 2.5)
    assert log.validation['average/WER'] == Curve((1, 2, 3), (79.0, 78.0, 77.0))
    assert log.losses == ['loss', 'loss_ctc_video'] and 'lr' in log.training
    assert set(log.validation) == {'video/WER', 'video/S', 'average/WER', 'average/S'}
    for path in (file, file.parents[1]):
        assert read_log(path, 'run') == log


def test_what_a_resumed_start_repeats_counts_once_and_in_its_version(tmp_path):
    write_log(tmp_path, FIRST, range(1, 5), wer=80)
    write_log(tmp_path, SECOND, range(3, 7), loss=100, wer=50)  # from epoch 2
    log = read_log(tmp_path)
    assert log.starts == (2.0,) and log.iterations == 24
    places, values = log.training['loss'].places, log.training['loss'].values
    assert places == tuple(0.5 * i for i in range(1, 13))
    assert values[3] == 10 / 8 and values[4] == 100 / 10
    assert log.validation['video/WER'].values == (79, 78, 47, 46, 45, 44)
    write_log(tmp_path, THIRD, range(2, 4))  # from epoch 1: the one before is undone
    again = read_log(tmp_path)
    assert again.starts == (1.0,) and again.iterations == 12


def test_a_start_from_scratch_replaces_what_was_before(tmp_path):
    write_log(tmp_path, FIRST, range(1, 5), loss=7)
    write_log(tmp_path, SECOND, range(1, 3))
    log = read_log(tmp_path)
    assert log.starts == () and log.training['loss'].values[0] == 5.0
    assert log.iterations == 8


def test_training_by_iteration(tmp_path):
    write_log(tmp_path, FIRST, range(1, 3), by_epoch=False)
    log = read_log(tmp_path)
    assert log.unit == 'iteration'
    assert log.training['loss'].places == (2, 4, 6, 8)
    # A validation is where the training was.
    assert log.validation['video/WER'].places == (4, 8)


def test_folders_of_tests_and_values_that_are_no_numbers_are_passed_over(tmp_path):
    file = write_log(tmp_path, FIRST, range(1, 2))
    with file.open('a') as lines:
        lines.write('{"loss": NaN, "epoch": 2, "iter": 6, "note": "x", "time": 1.0}\n')
    test = tmp_path / SECOND / 'vis_data' / 'scalars.json'
    test.parent.mkdir(parents=True)
    test.write_text('{"video/WER": 3.0, "step": 0}\n')
    log = read_log(tmp_path)
    assert log.training['loss'].places == (0.5, 1.0)
    assert log.validation['video/WER'].values == (79.0,)


def test_a_line_cut_off_at_the_end_is_the_end(tmp_path):
    file = write_log(tmp_path, FIRST, range(1, 3))
    whole = read_log(tmp_path)
    file.write_text(file.read_text() + '{"loss": 0.')
    assert read_log(tmp_path) == whole
    file.write_text('{"loss": 0.\n' + file.read_text())
    with pytest.raises(DataError, match=r'scalars\.json, line 1'):
        read_log(tmp_path)


def test_what_is_no_log_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone'):
        read_log(tmp_path / 'gone')
    with pytest.raises(DataError, match=str(tmp_path)):
        read_log(tmp_path)
    file = tmp_path / 'scalars.json'
    for text in ('', '{"video/WER": 3.0}\n'):
        file.write_text(text)
        with pytest.raises(DataError, match=file.name):
            read_log(file)


def test_the_best_value():
    curve = Curve((1, 2, 3, 4), (5.0, 2.0, 2.0, 7.0))
    assert curve.best() == (2.0, 2) and curve.best(smallest=False) == (7.0, 4)


def test_names_are_as_long_as_needed():
    assert distinct_names(['/a/run']) == ['run']
    assert distinct_names(['/a/run', '/b/run', '/b/other']) == [
        'a/run',
        'b/run',
        'b/other',
    ]
