"""Confidences that mean something, from the development split into the checkpoint."""

from typing import Any

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from torch import nn

from mmsign.decoding import (
    AVERAGE,
    CALIBRATION_KEY,
    Calibration,
    calibrations_from,
    single_sign_log_likelihoods,
)
from mmsign.errors import CheckpointError, ConfigError, explain
from mmsign.evaluation import (
    SignEvidence,
    expected_calibration_error,
    fit_calibration,
    judge_glosses,
)
from mmsign.registry import HOOKS

from .runs import model_of


@HOOKS.register_module()
class CalibrationHook(Hook):
    """Fit the calibrations of a recognizer's outputs after every validation.

    Of glosses that were found, confidences become the share of them that is right; of
    single signs, temperature and threshold are fitted: docs/metrics.md#calibration.
    They are written into the checkpoints that are saved from a validation until
    training goes on, the best one among them; a checkpoint that is loaded brings its
    own. What is measured on the development split is logged, and of a test the expected
    calibration error of the glosses.

    Args:
        max_rejected: Share of the development split's single signs that "none of
            these" may reject at most.

    Raises:
        ConfigError: If the share is not in [0, 1).
    """

    # Before the checkpoint hook, which saves the best network after a validation.
    priority = 'NORMAL'

    def __init__(self, max_rejected: float = 0.05) -> None:
        if not 0 <= max_rejected < 1:
            raise ConfigError(f'max_rejected must lie in [0, 1), not {max_rejected}')
        self.max_rejected = max_rejected
        self._clips: dict[str, dict] = {}

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """What was fitted does not hold for weights that change; a loop by iterations
        has one epoch, with validations in the midst of it."""
        _set(model_of(runner), {})

    def before_val_epoch(self, runner) -> None:
        """Fit on confidences as the network has them."""
        _set(model_of(runner), {})
        self._clips = {}

    def after_val_iter(
        self, runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        """Keep of each clip what it says about the confidences."""
        recognizer = _recognizer(model_of(runner))
        if not hasattr(recognizer, 'calibrations'):
            return
        settings = recognizer.vocab, _cleanup(runner.val_dataloader)
        for sample in outputs:
            self._clips[sample.clip_id] = _evidence(sample, *settings)

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        """Fit, over all processes."""
        clips, self._clips = _gathered(self._clips), {}
        calibrations = {}
        for output in next(iter(clips.values()), ()):
            glosses, signs = zip(*(clips[name][output] for name in sorted(clips)))
            calibrations[output] = fit_calibration(
                [gloss for of_clip in glosses for gloss in of_clip],
                [sign for sign in signs if sign is not None],
                self.max_rejected,
            )
        _set(model_of(runner), calibrations)
        if AVERAGE in calibrations:
            runner.logger.info(_described(calibrations[AVERAGE]))

    def before_test_epoch(self, runner) -> None:
        """Forget what came before."""
        self._clips = {}

    def after_test_iter(
        self, runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        """Keep how sure the average is of its glosses, and whether they are right."""
        if not hasattr(_recognizer(model_of(runner)), 'calibrations'):
            return
        cleanup = _cleanup(runner.test_dataloader)
        for sample in outputs:
            self._clips[sample.clip_id] = _judged(sample, AVERAGE, cleanup)

    def after_test_epoch(self, runner, metrics: dict | None = None) -> None:
        """Log the expected calibration error, over all processes."""
        clips, self._clips = _gathered(self._clips), {}
        glosses = [gloss for of_clip in clips.values() for gloss in of_clip]
        if glosses:
            error = 100 * expected_calibration_error(*zip(*glosses))
            own = _recognizer(model_of(runner)).calibrations.get(AVERAGE, Calibration())
            kind = 'not calibrated' if own.glosses is None else 'calibrated'
            runner.logger.info(
                f'confidences of {AVERAGE}, {kind}: {len(glosses)} glosses, '
                f'ECE {error:.1f} %'
            )

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Store the calibrations."""
        found = getattr(_recognizer(model_of(runner)), 'calibrations', {})
        if found:
            described = {name: one.to_dict() for name, one in found.items()}
            checkpoint['meta'][CALIBRATION_KEY] = described

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Take those of the checkpoint, if it has any."""
        meta = checkpoint.get('meta') or {}
        with explain(CheckpointError, 'the checkpoint', ConfigError):
            _set(model_of(runner), calibrations_from(meta.get(CALIBRATION_KEY)))


def _recognizer(model: nn.Module) -> nn.Module:
    """The part of a translator that recognizes, or the model itself."""
    return getattr(model, 'recognizer', model)


def _set(model: nn.Module, calibrations: dict[str, Calibration]) -> None:
    recognizer = _recognizer(model)
    if hasattr(recognizer, 'calibrations'):
        recognizer.calibrations = calibrations


def _gathered(clips: dict[str, Any]) -> dict[str, Any]:
    """Those of all processes; a clip that several have seen counts once."""
    parts = all_gather_object(clips)
    return {clip: found for part in parts for clip, found in part.items()}


def _cleanup(loader) -> str:
    """The clean-up of the loader's corpus."""
    return getattr(loader.dataset, 'metainfo', {}).get('gloss_cleanup', 'none')


def _judged(sample, output: str, cleanup: str) -> list[tuple[float, bool]]:
    """How sure an output is of each gloss, and whether it is right."""
    found = sample.predictions[output]
    right = judge_glosses(sample.glosses, found.glosses, cleanup)
    pairs = zip(found.timed, right)
    return [(gloss.score, judged) for gloss, judged in pairs if judged is not None]


def _evidence(sample, vocab, cleanup: str) -> dict[str, tuple]:
    """By output: the glosses' confidences and whether they are right; and what the
    clip says as a single sign, None if it is of several."""
    found = {}
    is_single = len(sample.glosses) < 2
    for output in sample.predictions:
        sign = None
        if is_single and all(gloss in vocab for gloss in sample.glosses):
            target = vocab.encode(sample.glosses, sample.clip_id)
            steps = sample.log_probs[output][None]
            likelihoods = single_sign_log_likelihoods(steps, blank=vocab.blank_index)
            target = target[0] if target else None
            about = target, vocab.blank_index, steps.shape[1]
            sign = SignEvidence.of(likelihoods[0], *about)
        found[output] = _judged(sample, output, cleanup), sign
    return found


def _described(calibration: Calibration) -> str:
    """What was measured, in one line."""
    told = calibration.measured
    parts = [f'{told["glosses"]} glosses']
    if 'ECE' in told:
        parts[0] += f': ECE {told["ECE_before"]:.1f} → {told["ECE"]:.1f} %'
    if signs := calibration.signs:
        errors = f'{told["signs_ECE_before"]:.1f} → {told["signs_ECE"]:.1f} %'
        parts += [
            f'{told["signs"]} single signs: ECE {errors}, temperature '
            f'{signs.temperature:.3g}, no sign {signs.no_sign:+.2g}',
            f'none of these below {signs.threshold:.2f}: '
            f'{told["rejected_signs"]:.1f} % of the signs rejected',
        ]
        if 'false_accepts' in told:
            false = f'{told["false_accepts"]:.1f} % of {told["idle"]} idle clips'
            parts[-1] += f', {false} accepted'
    return f'calibration of {AVERAGE}: ' + '; '.join([*parts, *calibration.notes])
