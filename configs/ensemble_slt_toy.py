"""The three networks V, K and J on the toy corpus, decoding together (eq. 6).

``python tools/test.py configs/ensemble_slt_toy.py``. Three seeds of one head
(V*): ``--cfg-options model.checkpoints.video="[A,B,C]" model.checkpoints.keypoint="[]"
model.checkpoints.joint="[]"``.
"""

_base_ = 'twostream_slt_toy.py'
model = dict(
    _delete_=True,
    type='TranslatorEnsemble',
    vocab={{_base_.vocab}},
    translator={{_base_.model}},
    # Files, or work folders, whose best checkpoint is taken.
    checkpoints=dict(
        video='work_dirs/twostream_slt_v_toy',
        keypoint='work_dirs/twostream_slt_k_toy',
        joint='work_dirs/twostream_slt_j_toy',
    ),
)
