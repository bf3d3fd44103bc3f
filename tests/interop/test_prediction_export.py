import pytest

from mmsign.interop.prediction_export import export_predictions


def records(signer='s1'):
    hypothesis = dict(
        glosses=['ROT', 'BLAU'], score=-1, spans=[[0, 10], [50, 60]], n_best=[]
    )
    silent = dict(glosses=[], score=-1, spans=[], n_best=[])
    return [
        dict(
            clip_id='b',
            signer=signer,
            reference=['ROT'],
            hypotheses=dict(average=hypothesis, video=silent),
        )
    ]


def test_ctm(tmp_path):
    path = tmp_path / 'x.ctm'
    export_predictions(records(), path)
    assert path.read_text().splitlines() == [
        'b 1 00000.000 0.400 ROT',
        'b 1 00002.000 0.400 BLAU',
    ]
    export_predictions(records(), path, 'video')
    assert path.read_text() == 'b 1 00000.000 0.000 [EMPTY]\n'
    export_predictions(records(), path, fps=50)
    assert path.read_text().splitlines()[1] == 'b 1 00001.000 0.200 BLAU'


def test_stm(tmp_path):
    export_predictions(records(), tmp_path / 'x.stm')
    assert (tmp_path / 'x.stm').read_text() == 'b 1 s1 0.0 1.79769e+308 ROT\n'
    export_predictions(records(signer=None), tmp_path / 'x.STM')
    assert 'b 1 unknown 0.0' in (tmp_path / 'x.STM').read_text()


def test_faults(tmp_path):
    with pytest.raises(ValueError, match="no output 'joint' .* only average, video"):
        export_predictions(records(), tmp_path / 'x.ctm', 'joint')
    with pytest.raises(ValueError, match='ends neither in .ctm nor in .stm'):
        export_predictions(records(), tmp_path / 'x.txt')
    sentences = [dict(records()[0], reference='ein satz')]
    with pytest.raises(ValueError, match='are sentences'):
        export_predictions(sentences, tmp_path / 'x.ctm')
