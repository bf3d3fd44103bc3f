"""The three networks V, K and J on Phoenix-2014T, decoding together (eq. 6).

Paper: BLEU-4 28.95 on the test split.
``python tools/test.py configs/ensemble_slt_phoenix2014T.py``. Three seeds of one head
(V*): ``--cfg-options model.checkpoints.video="[A,B,C]" model.checkpoints.keypoint="[]"
model.checkpoints.joint="[]"``.
"""

_base_ = 'twostream_slt_phoenix2014T.py'
model = dict(
    _delete_=True,
    type='TranslatorEnsemble',
    vocab={{_base_.vocab}},
    translator={{_base_.model}},
    # Files, or work folders, whose best checkpoint is taken.
    checkpoints=dict(
        video='work_dirs/twostream_slt_v_phoenix2014T',
        keypoint='work_dirs/twostream_slt_k_phoenix2014T',
        joint='work_dirs/twostream_slt_j_phoenix2014T',
    ),
)
