"""TwoStream-SLT-V on Phoenix-2014T: the video head alone.

Paper: BLEU-4 28.68 on the test split.
"""

_base_ = 'twostream_slt_phoenix2014T.py'
model = dict(translation=dict(_delete_=True, video={{_base_.translation_head}}))
default_hooks = dict(checkpoint=dict(save_best='video/BLEU-4'))
