"""Networks that were trained apart, translating together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch.nn as nn
from mmengine.model import BaseModel
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.registry import MODELS
from mmsign.structures import SignDataSample
from mmsign.text import TextVocabulary
from mmsign.vocab import GlossVocabulary, build_vocabulary

from ..layers.lengths import ClipLengths
from .sign_translator import translate
from .text_ensemble import check_same_text


@MODELS.register_module()
class TranslatorEnsemble(BaseModel):
    """Average the next-token probabilities of separately trained translators.

    The paper's three networks: ``checkpoints=dict(video=V, keypoint=K, joint=J)``;
    three seeds of one head (V*): ``checkpoints=dict(video=[V0, V1, V2])``; an empty
    list leaves an output out. Each member gives the output that it is listed under;
    the data samples get the translations of every member, ``video``, ``keypoint``,
    ``joint`` (``video_2`` and so on for further seeds), and ``ensemble``. For
    testing only.

    Args:
        vocab: The gloss vocabulary: see ``build_vocabulary``.
        translator: Config of a ``SignTranslator`` with a head for every output that
            is used. A member is built with its own head alone.
        checkpoints: By output, the members' checkpoint or checkpoints: files, or
            work folders, of which the best checkpoint is taken. They are loaded when
            the ensemble is built.

    Raises:
        FileNotFoundError, ValueError: If a checkpoint is missing or does not fit.
    """

    def __init__(
        self,
        vocab: dict | GlossVocabulary,
        translator: dict,
        checkpoints: Mapping[str, str | Sequence[str]],
    ) -> None:
        vocab = build_vocabulary(vocab)
        members: dict[str, nn.Module] = {}
        output_of: dict[str, str] = {}
        for output, files in checkpoints.items():
            if output not in translator['translation']:
                raise ConfigError(
                    f'checkpoints are named for the output {output!r}, the '
                    f'translator has heads for {", ".join(translator["translation"])}'
                )
            files = [files] if isinstance(files, str) else files
            for number, file in enumerate(files, 1):
                name = output if number == 1 else f'{output}_{number}'
                output_of[name] = output
                members[name] = MODELS.build(
                    translator
                    | dict(
                        vocab=vocab,
                        translation={output: translator['translation'][output]},
                        checkpoint=file,
                    )
                )
        if not members:
            raise ConfigError(
                'the ensemble has no members: name their checkpoints with '
                '--cfg-options model.checkpoints.video=FILE '
                'model.checkpoints.keypoint=FILE model.checkpoints.joint=FILE'
            )
        first = next(iter(members.values()))
        super().__init__(data_preprocessor=first.data_preprocessor)
        self.vocab = vocab
        self.outputs = output_of
        self.members = nn.ModuleDict(members)
        check_same_text(
            {name: self._head(name).mbart for name, member in members.items()}
        )
        for member in members.values():
            member.init_weights()
        self._networks = {k: m.network_fingerprint() for k, m in members.items()}

    def _head(self, name: str):
        return self.members[name].translation[self.outputs[name]]

    def init_weights(self) -> None:
        """Nothing: the members' checkpoints are loaded."""
        self._is_init = True

    def network_fingerprint(self) -> str:
        """Of the weights that cached features must have been computed with.

        Raises:
            ValueError: If the members' differ; no cached features suit them all.
        """
        found = set(self._networks.values())
        if len(found) > 1:
            raise ConfigError(
                'the members of the ensemble have different frozen networks, so they '
                'cannot share cached features: test them with a pipeline that loads '
                'frames'
            )
        return found.pop()

    @property
    def text_vocabulary(self) -> TextVocabulary:
        """Of the sentences of every member."""
        return self._head(next(iter(self.members))).mbart.text

    def text_vocabularies(self) -> dict[str, str]:
        """Fingerprint of the text vocabulary by member."""
        return {
            name: self._head(name).mbart.text.fingerprint() for name in self.members
        }

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[SignDataSample],
        mode: str = 'predict',
    ):
        """Predict; arguments as in ``SignTranslator``, mode ``predict`` only."""
        if mode != 'predict':
            raise ConfigError(
                f'a TranslatorEnsemble only predicts, mode {mode!r} is for its members'
            )
        valid = [sample.length for sample in data_samples]
        # Members with the same frozen network share what it computes.
        pooled_by_network: dict[str, tuple] = {}
        logits, sources = {}, {}
        for name, member in self.members.items():
            network = self._networks[name]
            if network not in pooled_by_network:
                pooled_by_network[network] = member.pooled(inputs)
            pooled, frames = pooled_by_network[network]
            lengths = ClipLengths(valid, frames)
            outputs = member.recognizer.classify(pooled, lengths)
            logits[name], features = outputs[self.outputs[name]]
            sources[name] = (self._head(name), features)
        first = next(iter(self.members.values()))
        samples = first.recognizer.predict(logits, data_samples, frames)
        return translate(samples, sources, lengths, always=True)
