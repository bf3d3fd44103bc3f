"""Translation: cost per token of the ensemble, training from features, memory.

Three things that a claim is made of: decoding costs the same per token at 15 tokens
and at 60, since what was computed is kept; training from cached features leaves out
the backbones; mBART-large with a pruned vocabulary trains in the memory of one card.
"""

from __future__ import annotations

import argparse
import tempfile

import numpy as np
import torch
from _report import seconds, show
from mmengine.dataset import pseudo_collate

import mmsign  # noqa: F401  registers the parts
from mmsign.compat.transformers_mbart import new_mbart
from mmsign.datasets.io.feature_file import ClipFeatures, write_features
from mmsign.datasets.transforms import LoadFeatures
from mmsign.engine.launch import reported_errors
from mmsign.models import MBartTranslationHead
from mmsign.models.mbart import translate as translate_together
from mmsign.registry import MODELS
from mmsign.text import TextVocabulary, train_sentencepiece
from mmsign.toy.grammar import make_sentences, translate
from mmsign.toy.lexicon import LEXICON
from mmsign.vocab import GlossVocabulary

GLOSSES = GlossVocabulary(sorted(LEXICON))
TINY = dict(
    d_model=128,
    encoder_layers=2,
    decoder_layers=2,
    encoder_attention_heads=4,
    decoder_attention_heads=4,
    encoder_ffn_dim=256,
    decoder_ffn_dim=256,
    max_position_embeddings=256,
)
# mBART-large-cc25's config, but for the size of the vocabulary.
LARGE = dict(
    d_model=1024,
    encoder_layers=12,
    decoder_layers=12,
    encoder_attention_heads=16,
    decoder_attention_heads=16,
    encoder_ffn_dim=4096,
    decoder_ffn_dim=4096,
    max_position_embeddings=1024,
)


def decoding(vocabulary: str, args: argparse.Namespace) -> dict[str, float | str]:
    """Seconds per token of an ensemble of three at two lengths."""
    config = dict(language='de_DE', vocabulary=vocabulary, beam_width=args.beam_width)
    heads = [MBartTranslationHead(512, GLOSSES, config | TINY).eval() for _ in range(3)]
    for head in heads:
        # No sentence ends before the greatest length.
        head.mbart.network.final_logits_bias[:, head.mbart.text.eos_id] = -1e4

    def per_token(sentences: int, batch_size: int, tokens: int) -> float:
        batches = [
            torch.randn(min(batch_size, sentences - start), args.steps, 512)
            for start in range(0, sentences, batch_size)
        ]

        def decode() -> None:
            for x in batches:
                steps = torch.full((len(x),), x.shape[1])
                translate_together([head.encode(x, steps) for head in heads])

        heads[0].mbart.max_length = tokens + 1
        return seconds(decode, args.repeats, warmup=0) / sentences / tokens

    per_token(args.batch_size, args.batch_size, 4)  # warms up
    short, long = (per_token(args.sentences, args.batch_size, n) for n in (15, 60))
    # A twentieth of the sentences tells how slow they are one by one.
    one_by_one = per_token(max(1, args.sentences // 20), 1, 15)
    return {
        'decoding': f'{args.sentences} sentences of {args.steps} steps, three '
        f'networks, beam {args.beam_width}, batch {args.batch_size}',
        '15 tokens, ms per sentence and token': 1e3 * short,
        '60 tokens, ms per sentence and token': 1e3 * long,
        'all sentences at 60 tokens, s': long * args.sentences * 60,
        'cost per token, ratio 60 tokens / 15': long / short,
        'ratio one by one / batched, 15 tokens': one_by_one / short,
    }


def training(vocabulary: str, args: argparse.Namespace) -> dict[str, float | str]:
    """Seconds per clip of a training step, from frames and from features.

    Features are read from a file and padded as in training; frames are there already,
    normalised. Both steps end with Adam's.
    """
    size, frames = args.size, args.frames
    head = dict(mbart=dict(language='de_DE', vocabulary=vocabulary, **TINY))
    network = MODELS.build(
        dict(
            type='SignTranslator',
            vocab=GLOSSES,
            recognizer=dict(
                type='TwoStreamRecognizer',
                data_preprocessor=dict(video_size=size, heatmap_size=size // 2),
                video=dict(backbone=dict(type='S3D', in_channels=3)),
                keypoint=dict(backbone=dict(type='S3D', in_channels=79)),
                bilateral=dict(type='BilateralNeck', stages=(0, 1, 2)),
                joint=dict(type='JointHead'),
            ),
            translation=dict(video=head, keypoint=head, joint=head),
        )
    ).train()
    optimizer = torch.optim.Adam(p for p in network.parameters() if p.requires_grad)
    count = args.batch_size
    sentences = make_sentences(count, np.random.default_rng(0))
    records = [
        dict(clip_id=f'clip{i}', signer='', glosses=glosses, text=translate(glosses))
        for i, glosses in enumerate(sentences)
    ]
    clip = dict(
        video=torch.rand(1, 3, frames, size, size),
        heatmaps=torch.rand(1, 79, frames, size // 2, size // 2),
    )
    pooled, _ = network.pooled(clip)
    kept = ClipFeatures(
        {stream: x[0].numpy() for stream, x in pooled.items()},
        np.arange(frames),
        frames,
    )
    with tempfile.TemporaryDirectory() as folder:
        file = f'{folder}/features.safetensors'
        clips = {record['clip_id']: kept for record in records}
        write_features(file, clips, network.network_fingerprint())
        load = LoadFeatures(file)

        def step(inputs: dict, samples: list) -> None:
            optimizer.zero_grad(set_to_none=True)
            sum(network(inputs, samples, 'loss').values()).backward()
            optimizer.step()

        def batch() -> tuple[dict, list]:
            data = pseudo_collate([load(dict(record)) for record in records])
            data = network.data_preprocessor(data, training=True)
            return data['inputs'], data['data_samples']

        from_features = seconds(lambda: step(*batch()), args.repeats) / count
        from_frames = seconds(lambda: step(clip, batch()[1][:1]), args.repeats)
    return {
        'training': f'{frames} frames at {size}², three heads, tiny mBARTs; batch 1 '
        f'from frames, {count} from features',
        'from frames, ms per clip': 1e3 * from_frames,
        'from features, ms per clip': 1e3 * from_features,
        'ratio frames / features': from_frames / from_features,
    }


def activation_bytes(layers: int, args: argparse.Namespace, batch: int) -> int:
    """Bytes that the backward pass of ``layers`` + ``layers`` layers keeps.

    With the bfloat16 copies of the weights that autocast makes.
    """
    sizes = LARGE | dict(encoder_layers=layers, decoder_layers=layers)
    network = new_mbart(args.memory_vocabulary, **sizes).train()
    weights = {p.data_ptr() for p in network.parameters()}
    kept: dict[int, torch.Tensor] = {}

    def keep(x: torch.Tensor) -> torch.Tensor:
        if x.untyped_storage().data_ptr() not in weights:
            kept[x.untyped_storage().data_ptr()] = x
        return x

    source = torch.randn(batch, args.memory_steps, 1024)
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x),
        torch.autocast('cpu', torch.bfloat16),
    ):
        logits = network(
            inputs_embeds=source.requires_grad_(),
            decoder_input_ids=torch.ones(batch, args.memory_tokens, dtype=torch.long),
            use_cache=False,
        ).logits
        logits.float().log_softmax(-1).sum()
    return sum(x.untyped_storage().nbytes() for x in kept.values())


def memory(args: argparse.Namespace) -> dict[str, float | str]:
    """Bytes that a training step of mBART-large holds.

    Weights, gradients and Adam's two moments in float32, as autocast keeps them:
    computed from the shapes. What the backward pass keeps under autocast, bfloat16
    copies of the weights included: counted in networks of one and of two layers on
    each side, which gives that of twelve.
    """
    batch, gib = 8, 1 << 30
    with torch.device('meta'):
        network = new_mbart(args.memory_vocabulary, **LARGE)
    parameters = sum(p.numel() for p in network.parameters())
    one, two = (activation_bytes(layers, args, batch) for layers in (1, 2))
    kept = one + (LARGE['encoder_layers'] - 1) * (two - one)
    return {
        'memory': f'mBART-large, {args.memory_vocabulary} ids, batch {batch}, '
        f'{args.memory_steps} steps, {args.memory_tokens} tokens, bfloat16 autocast',
        'parameters, millions': parameters / 1e6,
        'weights, gradients, Adam, GiB': parameters * (4 + 4 + 8) / gib,
        'kept for the backward pass, GiB': kept / gib,
        'together, GiB': (parameters * 16 + kept) / gib,
    }


def measured_memory(args: argparse.Namespace) -> dict[str, float]:
    """Bytes that a GPU held at most in such training steps."""
    torch.cuda.reset_peak_memory_stats()
    with torch.device('cuda'):
        network = new_mbart(args.memory_vocabulary, **LARGE).train()
        source = torch.randn(8, args.memory_steps, 1024)
        tokens = torch.ones(8, args.memory_tokens, dtype=torch.long)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-5, fused=True)
    for _ in range(3):
        with torch.autocast('cuda', torch.bfloat16):
            logits = network(
                inputs_embeds=source, decoder_input_ids=tokens, use_cache=False
            ).logits
        logits.float().log_softmax(-1).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    return {'measured on the GPU, GiB': torch.cuda.max_memory_allocated() / (1 << 30)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sentences', type=int, default=600)
    parser.add_argument('--steps', type=int, default=60, help='of the features')
    parser.add_argument('--beam-width', type=int, default=5)
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument('--frames', type=int, default=32, help='of a training clip')
    parser.add_argument('--size', type=int, default=224, help='of the frames')
    parser.add_argument('--memory-vocabulary', type=int, default=3000)
    parser.add_argument('--memory-steps', type=int, default=102)
    parser.add_argument('--memory-tokens', type=int, default=100)
    parser.add_argument(
        '--memory-only', action='store_true', help='of training, and nothing else'
    )
    parser.add_argument('--repeats', type=int, default=1)
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    torch.manual_seed(0)
    texts = [translate(g) for g in make_sentences(300, np.random.default_rng(0))]
    with tempfile.TemporaryDirectory() as folder:
        TextVocabulary(train_sentencepiece(texts, 300)).save(folder)
        rows = {}
        if not args.memory_only:
            rows = decoding(folder, args) | training(folder, args)
        rows |= memory(args)
        if torch.cuda.is_available():
            rows |= measured_memory(args)
    show('translation', rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
