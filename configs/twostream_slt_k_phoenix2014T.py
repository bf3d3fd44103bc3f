"""TwoStream-SLT-K on Phoenix-2014T: the keypoint head alone.

Paper: BLEU-4 27.98 on the test split.
"""

_base_ = 'twostream_slt_phoenix2014T.py'
model = dict(translation=dict(_delete_=True, keypoint={{_base_.translation_head}}))
default_hooks = dict(checkpoint=dict(save_best='keypoint/BLEU-4'))
