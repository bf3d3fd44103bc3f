"""From gloss features to a sentence (paper, section 3.2).

Symbols: B clips, T steps, C channels of the gloss features, D width of mBART.
"""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmsign.registry import MODELS
from mmsign.structures import SignDataSample
from mmsign.vocab import GlossVocabulary

from ..mbart import EncodedSource, MBart
from ..weights import load_weights


@MODELS.register_module()
class MBartTranslationHead(BaseModule):
    """A mapper C → D, then mBART.

    Args:
        in_channels: C; supplied by the translator.
        glosses: The gloss vocabulary; supplied by the translator.
        mbart: Arguments of ``MBart``.
        g2t_checkpoint: Checkpoint of a ``GlossToText`` model, or its work folder,
            whose mBART this head starts from; empty starts from ``mbart`` as it is.
    """

    def __init__(
        self,
        in_channels: int,
        glosses: GlossVocabulary,
        mbart: dict,
        g2t_checkpoint: str = '',
    ) -> None:
        super().__init__()
        self.g2t_checkpoint = g2t_checkpoint
        self._glosses = glosses
        self.mbart = MBart(glosses=glosses, **mbart)
        width = self.mbart.gloss_embedding.embedding_dim
        self.mapper = nn.Sequential(
            nn.Linear(in_channels, width), nn.ReLU(), nn.Linear(width, width)
        )

    def init_weights(self) -> None:
        """Load the mBART of ``g2t_checkpoint`` if one is named.

        Raises:
            CheckpointError: If the file holds another network.
        """
        super().init_weights()
        if self.g2t_checkpoint:
            load_weights(
                self.mbart,
                self.g2t_checkpoint,
                'the mBART of the translation head: it must be a checkpoint of a '
                'GlossToText model with the same mbart and glosses',
                prefix='mbart.',
                glosses=self._glosses,
                text=self.mbart.text.fingerprint(),
            )

    def encoder_inputs(
        self, features: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """mBART's inputs (B, T + 2, D) and mask for gloss features (B, T, C).

        Args:
            features: Gloss features.
            lengths: (B,) valid steps.
        """
        return self.mbart.embed_features(self.mapper(features), lengths)

    def loss(
        self, features: Tensor, lengths: Tensor, samples: Sequence[SignDataSample]
    ) -> Tensor:
        """Scalar loss of the data samples' sentences; arguments as above."""
        return self.mbart.loss(*self.encoder_inputs(features, lengths), samples)

    def encode(self, features: Tensor, lengths: Tensor) -> EncodedSource:
        """What ``models.mbart.translate`` makes sentences of; arguments as above."""
        return self.mbart.encode(*self.encoder_inputs(features, lengths))
