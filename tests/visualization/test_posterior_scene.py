import numpy as np
from tiny_predictions import prediction

from mmsign.visualization.posterior_scene import (
    Scene,
    panels,
    picture_times,
    time_rows,
)
from mmsign.visualization.posteriors import ClipPosteriors
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN', '天'])
STEPS = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0.6, 0.4]], np.float32)


def scene(outputs=('video', 'average'), **changes):
    clip = ClipPosteriors(VOCAB, dict.fromkeys(outputs, STEPS), np.arange(0, 16, 4.0))
    predictions = {
        'video': prediction(['RAIN', 'SUN', 'SUN'], [(0, 4), (8, 10), (10, 12)])
    }
    settings = dict(rows=[(0, 12)], title='clip', predictions=predictions)
    return Scene(clip, **settings | changes)


def test_of_one_output_no_average_is_shown():
    assert [p.title for p in panels(scene())] == ['video']
    three = scene(outputs=('video', 'keypoint', 'average'))
    assert [p.title for p in panels(three)] == ['video', 'keypoint', 'average']


def test_labels_name_glosses_errors_and_what_was_nearly_recognized():
    reference, video = panels(scene(reference=['RAIN', 'SUN', '天', '天']))
    assert reference.note == 'order only'  # four glosses do not fit
    assert [label.time for label in reference.labels] == [1.5, 4.5, 7.5, 10.5]
    assert video.note == 'S 1  D 1  I 0'
    assert [(x.text, x.time, x.wrong, x.faint) for x in video.labels] == [
        ('RAIN', 2, False, False),
        ('SUN', 9, False, False),
        ('SUN [S]', 11, True, False),
        ('#3 0.40', 10, False, True),
    ]
    # Without a reference nothing is an error.
    (alone,) = panels(scene())
    assert alone.note == '' and not any(label.wrong for label in alone.labels)


def test_the_reference_is_aligned():
    reference = panels(scene(reference=['RAIN', 'SUN']))[0]
    assert (reference.title, reference.note) == ('reference', 'aligned')
    assert reference.bars == [((0, 4), 'RAIN'), ((8, 12), 'SUN')]


def test_names_that_no_font_has_become_numbers():
    assert scene().name('天') == '#3'
    assert scene().name('雨') == '#?'
    assert scene().name('MÄSSIG') == 'MÄSSIG'


def test_long_clips_have_several_rows():
    assert time_rows(0, 249, 200) == [(0, 249)]
    assert time_rows(50, 450, 200) == [(50, 250), (250, 450)]
    assert time_rows(0, 0, 200) == [(0, 1)]
    rows = time_rows(0, 10_000, 200)
    assert len(rows) == 40 and rows[-1][1] == 10_000


def test_a_label_is_in_one_row():
    (video,) = panels(scene())
    shown = [video.within(row, row[1] == 12) for row in ((0, 9), (9, 12))]
    assert [[label.text for label in row] for row in shown] == [
        ['RAIN'],
        ['SUN', 'SUN', '#3 0.40'],  # remarks last
    ]


def test_pictures_are_spread_over_the_rows():
    assert picture_times([(0, 4), (4, 8)], 2) == [1, 3, 5, 7]
    # No more than there are frames.
    assert picture_times([(0, 2), (2, 4)], 9) == [0.5, 1.5, 2.5, 3.5]
