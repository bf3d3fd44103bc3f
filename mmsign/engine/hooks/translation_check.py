"""What must fit before a translator is trained or tested."""

from mmengine.hooks import Hook

from mmsign.datasets.io.feature_file import FeatureFile
from mmsign.datasets.transforms import LoadFeatures
from mmsign.errors import ConfigError, DataError
from mmsign.models.weights import TEXT_KEY, Weights
from mmsign.registry import HOOKS

from .runs import clips_of, listed, model_of


def _check_sentence(info: dict, split: str) -> None:
    if info['text'] is None or not info['text'].strip():
        raise ConfigError(
            f'{split} split: clip {info["clip_id"]} has no sentence; translation needs '
            'a corpus with sentences. Leave the clip out, or give it one'
        )


@HOOKS.register_module()
class TranslationCheckHook(Hook):
    """Sentences, vocabularies and cached features, looked at before anything runs.

    - Every clip must have a sentence, to be trained on or compared with.
    - Training sentences that do not survive the text vocabulary (a letter that becomes
      ``<unk>``, say) are counted and some are shown.
    - A checkpoint stores the fingerprint of its text vocabulary; one that was
      trained with another is refused.
    - Cached features must have been computed by the network at hand and hold every
      clip.
    - Glosses that gloss→text has no embedding for are counted and some are shown.

    Args:
        examples: How many sentences or glosses are shown.
    """

    def __init__(self, examples: int = 3) -> None:
        self.examples = examples

    def before_train(self, runner) -> None:
        """Raise ConfigError for what cannot be trained on."""
        dataset = runner.train_dataloader.dataset
        self._check_sentences(runner, dataset)
        self._check_features(runner, dataset, 'training')
        if runner.val_loop is not None:
            self._check_testing(runner, runner.val_loop.dataloader.dataset)

    def before_test(self, runner) -> None:
        """Raise ConfigError for what cannot be tested on."""
        self._check_testing(runner, runner.test_loop.dataloader.dataset)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Store which text vocabulary the weights belong to."""
        texts = {name: m.text for name, m in model_of(runner).mbarts.items()}
        checkpoint['meta'][TEXT_KEY] = {k: x.fingerprint() for k, x in texts.items()}

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Raise CheckpointError if the checkpoint's text vocabulary is another."""
        text = model_of(runner).text_vocabulary.fingerprint()
        Weights.of(checkpoint).check_vocabularies(text=text)

    def _check_testing(self, runner, dataset) -> None:
        rows = getattr(getattr(model_of(runner), 'mbart', None), 'glosses', None)
        unknown: list[str] = []
        for clip in clips_of(dataset):
            _check_sentence(clip, 'evaluated')
            unknown += rows.unknown(clip['glosses']) if rows is not None else ()
        self._check_features(runner, dataset, 'test')
        if unknown:
            runner.logger.warning(
                f'{len(unknown)} glosses of the evaluated split have no embedding and '
                'are read as <unk>, such as '
                f'{listed(sorted(set(unknown)), self.examples)}'
            )

    def _check_sentences(self, runner, dataset) -> None:
        vocabulary = model_of(runner).text_vocabulary
        lost = []
        for clip in clips_of(dataset):
            _check_sentence(clip, 'training')
            returned = vocabulary.round_trip_loss(clip['text'])
            if returned is not None:
                lost.append(f'{clip["clip_id"]}: {clip["text"]!r} → {returned!r}')
        if lost:
            shown = '\n  '.join(lost[: self.examples])
            runner.logger.warning(
                f'{len(lost)} of {len(dataset)} training sentences do not survive the '
                f'text vocabulary {vocabulary.name}:\n  {shown}\nPrune mBART, or make '
                'the vocabulary, with this corpus'
            )

    @staticmethod
    def _check_features(runner, dataset, split: str) -> None:
        for transform in dataset.pipeline.transforms:
            if not isinstance(transform, LoadFeatures):
                continue
            file = FeatureFile.open(transform.feature_file)
            expected = model_of(runner).network_fingerprint()
            if file.network != expected:
                raise DataError(
                    f'{file.path} holds features of another network ({file.network}, '
                    f'the model is {expected}): extract them with the checkpoint that '
                    'the translator starts from'
                )
            clips = [clip['clip_id'] for clip in clips_of(dataset)]
            ids = [name for clip in clips for name in transform.clip_ids(clip)]
            missing = [clip_id for clip_id in ids if clip_id not in file]
            if missing:
                views = f' --views {transform.views}' if transform.views else ''
                raise DataError(
                    f'{file.path} lacks {len(missing)} of {len(ids)} clips of the '
                    f'{split} split (first: {missing[:3]}): run '
                    f'tools/extract_features.py{views} to the end'
                )
