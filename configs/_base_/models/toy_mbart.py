"""An mBART for the toy language, on the text vocabulary of the toy corpus."""

vocabulary = 'data/text/toy'
toy_mbart = dict(
    language='de_DE',
    vocabulary=vocabulary,
    max_length=40,
    d_model=128,
    encoder_layers=2,
    decoder_layers=2,
    encoder_attention_heads=4,
    decoder_attention_heads=4,
    encoder_ffn_dim=256,
    decoder_ffn_dim=256,
    max_position_embeddings=128,
)
