"""Stage 1a of the quickstart: the video stream alone, as far as stage 2 needs it.

What it still lacks it learns there from the other outputs, by distillation.
"""

_base_ = ['video_slr_toy.py']
train_cfg = dict(max_epochs=6, val_interval=6)
# Faster, it stays for longer where it says nothing.
optim_wrapper = dict(optimizer=dict(lr=2e-3))
