"""Gloss→text on the texts of Phoenix-2014T, from scratch: nothing pretrained.

First ``python tools/data/make_text_vocabulary.py Phoenix2014TDataset DATA_ROOT
data/text/phoenix2014T``. Only the annotations of the corpus are read.
"""

_base_ = [
    '_base_/datasets/phoenix2014T.py',
    '_base_/schedules/adam_cosine_40e.py',
    '_base_/g2t.py',
    '_base_/runtime.py',
]
# Decoding says little before the rate has come down.
train_cfg = dict(max_epochs=22, val_begin=16, val_interval=4)
total_batch_size = 32
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        _delete_=True, type='AdamW', lr=1e-3, betas=(0.9, 0.98), weight_decay=0.05
    ),
)
param_scheduler = [
    dict(type='WarmUpLR', updates=600, start_factor=0.01, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        eta_min=2e-5,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(_delete_=True, type='SentenceBucketSampler', batch_size=32),
    dataset=dict(pipeline={{_base_.sentences}}),
)
val_dataloader = dict(
    batch_size=64, num_workers=0, dataset=dict(pipeline={{_base_.sentences}})
)
test_dataloader = dict(
    batch_size=64, num_workers=0, dataset=dict(pipeline={{_base_.sentences}})
)
model = dict(
    vocab={{_base_.vocab}},
    mbart=dict(
        language='de_DE',
        vocabulary='data/text/phoenix2014T',
        max_length=60,
        d_model=256,
        encoder_layers=3,
        decoder_layers=3,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=512,
        decoder_ffn_dim=512,
        max_position_embeddings=256,
        # Costs a tenth of the time; the other dropout is there.
        attention_dropout=0.0,
    ),
)
default_hooks = {{_base_.g2t_hooks}}
custom_hooks = {{_base_.g2t_averaged}}
val_evaluator = dict(_delete_=True, type='BLEUMetric')
test_evaluator = dict(_delete_=True, type='BLEUMetric')
