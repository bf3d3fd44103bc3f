"""What every network that ends in sentences has in common."""

from collections.abc import Mapping

from mmengine.model import BaseModel
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.structures import SignDataSample
from mmsign.text import TextVocabulary

from ..mbart import EncodedSource, MBart, translate
from ..recognizers.stream import is_auxiliary

# Name of the averaged output in the data samples and of its metrics.
ENSEMBLE = 'ensemble'


class Translator(BaseModel):
    """Base of the networks that translate by one mBART or several.

    Attributes:
        mbarts: By the name of the output that each gives.
    """

    mbarts: dict[str, MBart]

    @property
    def text_vocabulary(self) -> TextVocabulary:
        """Of the sentences of every output."""
        return next(iter(self.mbarts.values())).text

    def required_state(self) -> dict[str, Tensor]:
        """The tensors a checkpoint must hold for inference (no pyramid)."""
        return {k: v for k, v in self.state_dict().items() if not is_auxiliary(k)}

    def check_same_text(self) -> None:
        """Raise ConfigError unless all outputs number their tokens alike."""
        mbarts = self.mbarts.items()
        if len({(mbart.text, mbart.start_id) for _, mbart in mbarts}) > 1:
            found = (f'{name} ({m.text.name}, {m.language})' for name, m in mbarts)
            raise ConfigError(
                'an ensemble needs one text vocabulary and language, not those of '
                f'{", ".join(found)}'
            )

    @staticmethod
    def write_sentences(
        samples: list[SignDataSample],
        sources: Mapping[str, EncodedSource],
        ensemble: bool,
    ) -> list[SignDataSample]:
        """Give the data samples their ``translations``; returns the samples.

        Args:
            samples: Changed in place.
            sources: What each output translates.
            ensemble: Whether their average (paper, eq. 6) is an output, too.
        """
        found = {name: translate([source]) for name, source in sources.items()}
        if ensemble:
            found[ENSEMBLE] = translate(list(sources.values()))
        for index, sample in enumerate(samples):
            sample.translations = {name: rows[index] for name, rows in found.items()}
        return samples
