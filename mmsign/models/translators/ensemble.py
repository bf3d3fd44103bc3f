"""Networks that were trained apart, translating together."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mmsign.errors import ConfigError
from mmsign.registry import MODELS
from mmsign.structures import SignDataSample
from mmsign.vocab import GlossVocabulary, build_vocabulary

from ..layers.sequence import ClipLengths
from ..mbart import MBart
from .translator import Translator


@MODELS.register_module()
class TranslatorEnsemble(Translator):
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
        FileNotFoundError, ConfigError, CheckpointError: If a checkpoint is missing
            or does not fit.
    """

    def __init__(
        self,
        vocab: dict | GlossVocabulary,
        translator: dict,
        checkpoints: Mapping[str, str | Sequence[str]],
    ) -> None:
        vocab, heads = build_vocabulary(vocab), translator['translation']
        members: dict[str, nn.Module] = {}
        for output, files in checkpoints.items():
            if output not in heads:
                raise ConfigError(
                    f'checkpoints are named for the output {output!r}, the '
                    f'translator has heads for {", ".join(heads)}'
                )
            files = [files] if isinstance(files, str) else files
            for number, file in enumerate(files, 1):
                name = output if number == 1 else f'{output}_{number}'
                head = {output: heads[output]}
                own = dict(vocab=vocab, translation=head, checkpoint=file)
                # A ConfigDict would merge its heads into this one.
                members[name] = MODELS.build(dict(translator) | own)
        if not members:
            raise ConfigError(
                'the ensemble has no members: name their checkpoints with '
                '--cfg-options model.checkpoints.video=FILE (keypoint, joint)'
            )
        first = next(iter(members.values()))
        super().__init__(data_preprocessor=first.data_preprocessor)
        self.vocab = vocab
        self.members = nn.ModuleDict(members)
        self.check_same_text()
        for member in members.values():
            member.init_weights()
        self._networks = {k: m.network_fingerprint() for k, m in members.items()}

    @property
    def mbarts(self) -> dict[str, MBart]:
        """By member: each has one."""
        return {k: next(iter(m.mbarts.values())) for k, m in self.members.items()}

    def init_weights(self) -> None:
        """Nothing: the members' checkpoints are loaded."""
        self._is_init = True

    def network_fingerprint(self) -> str:
        """Of the weights that cached features must have been computed with.

        Raises:
            ConfigError: If the members' differ; no cached features suit them all.
        """
        found = set(self._networks.values())
        if len(found) > 1:
            raise ConfigError(
                'the members of the ensemble have different frozen networks and cannot '
                'share cached features: test them with a pipeline that loads frames'
            )
        return found.pop()

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
        owners = dict(zip(self._networks.values(), self.members.values()))
        by_network = {network: one.pooled(inputs) for network, one in owners.items()}
        logits, sources = {}, {}
        for name, member in self.members.items():
            pooled, frames = by_network[self._networks[name]]
            lengths = ClipLengths(valid, frames)
            outputs = member.recognizer.classify(pooled, lengths)
            [(output, head)] = member.translation.items()
            logits[name], features = outputs[output].logits, outputs[output].features
            sources[name] = head.encode(features, lengths.of(features))
        first = next(iter(self.members.values()))
        samples = first.recognizer.predict(logits, data_samples, frames)
        return self.write_sentences(samples, sources, ensemble=True)
