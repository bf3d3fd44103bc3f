"""CorrNet on the toy corpus, narrow; all else as twostream_narrow_slr_toy.py."""

_base_ = ['twostream_narrow_slr_toy.py']
model = dict(
    _delete_=True,
    type='SingleStreamRecognizer',
    vocab={{_base_.vocab}},
    data_preprocessor={{_base_.model.data_preprocessor}},
    decoder={{_base_.model.decoder}},
    video=dict(
        backbone=dict(type='CorrNet', base_channels=24), head={{_base_.temporal_head}}
    ),
)
