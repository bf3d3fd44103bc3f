"""Several translation heads as one: eq. 6 of the paper, inside the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.structures import TranslationPrediction

from ..heads.translation_head import MBartTranslationHead
from ..mbart import MBart

# Name of the averaged output in the data samples and of its metrics.
ENSEMBLE = 'ensemble'


def check_same_text(networks: Mapping[str, MBart]) -> None:
    """Raise ValueError unless all networks number their tokens alike."""
    first, *others = networks
    of_first = networks[first]
    for name in others:
        same = networks[name].text == of_first.text
        if not same or networks[name].start_id != of_first.start_id:
            raise ConfigError(
                f'the heads {first} ({of_first.text.name}, {of_first.language}) and '
                f'{name} ({networks[name].text.name}, {networks[name].language}) have '
                'different text vocabularies or languages; an ensemble averages '
                'probabilities of the same tokens'
            )


def translate_together(
    sources: Sequence[tuple[MBartTranslationHead, Tensor]], steps: Tensor
) -> list[TranslationPrediction]:
    """The best sentences by the average of the heads' next-token probabilities.

    Width, length penalty and greatest length are those of the first head.

    Args:
        sources: Heads with the gloss features (B, T', C) that each reads.
        steps: (B,) valid steps.
    """
    mbart = sources[0][0].mbart
    return mbart.search(
        [head.next_tokens(x, steps, mbart.beam_width) for head, x in sources]
    )
