"""TwoStream-SLT-J on Phoenix-2014T: the joint head alone.

Paper: BLEU-4 28.23 on the test split.
"""

_base_ = 'twostream_slt_phoenix2014T.py'
model = dict(translation=dict(_delete_=True, joint={{_base_.translation_head}}))
default_hooks = dict(checkpoint=dict(save_best='joint/BLEU-4'))
