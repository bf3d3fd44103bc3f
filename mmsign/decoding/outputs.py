"""From a network's logits to glosses with times, for everyone who wants them.

Symbols: B clips, T' output steps, V gloss classes with the blank.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mmsign.structures import GlossPrediction, SignDataSample, TimedGloss
from mmsign.timing import StepClock
from mmsign.vocab import GlossVocabulary

from .calibration import Calibration, ConfidenceMap
from .ctc import CTCBeamSearch, Hypothesis
from .single_signs import read_single_signs, single_sign_log_likelihoods

AVERAGE = 'average'
"""Name of the output that is the mean of the others' probabilities."""


def log_probabilities(logits: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Natural log-probabilities of every output and of their average.

    Nothing but tensor operations: it can be traced and exported.

    Args:
        logits: By output (B, T', V), all of the same shape; also with the ``average``
            and ``lengths`` of a network's mode ``tensor``, which are left out.

    Returns:
        By output (B, T', V), at least float32; last ``average``, the logarithm of the
        mean of the probabilities.

    Examples:
        >>> logits = dict(video=torch.zeros(1, 8, 4), keypoint=torch.zeros(1, 8, 4))
        >>> found = log_probabilities(logits)
        >>> list(found), found['average'].exp()[0, 0].tolist()
        (['video', 'keypoint', 'average'], [0.25, 0.25, 0.25, 0.25])
    """
    given = {k: x for k, x in logits.items() if k not in (AVERAGE, 'lengths')}
    log_probs = {name: output.float().log_softmax(-1) for name, output in given.items()}
    # Not a tensor's length: a traced graph would compute it.
    average = torch.stack(list(log_probs.values())).logsumexp(0) - math.log(len(given))
    return log_probs | {AVERAGE: average}


def decode_outputs(
    samples: Sequence[SignDataSample],
    log_probs: Mapping[str, Tensor],
    clocks: Sequence[StepClock],
    search: CTCBeamSearch,
    vocab: GlossVocabulary,
    calibrations: Mapping[str, Calibration] | None = None,
    single_signs: Sequence[int] = (),
) -> None:
    """Decode every output of a batch.

    Args:
        samples: Of the clips; get ``predictions``, ``log_probs`` and ``clock``.
        log_probs: By output (B, T', V) natural log-probabilities, on the CPU.
        clocks: Of the clips; theirs is the unit of the glosses' times.
        search: The decoder.
        vocab: The glosses.
        calibrations: By output, of those that have one.
        single_signs: How many single signs are listed of each clip; 0 reads none.

    Raises:
        DataError: If an output holds values that are no log-probabilities.
    """
    lengths = [clock.valid_steps for clock in clocks]
    for sample, clock in zip(samples, clocks, strict=True):
        sample.clock, sample.log_probs, sample.predictions = clock, {}, {}
    chosen = [index for index, count in enumerate(single_signs) if count]
    for name, output in log_probs.items():
        own = (calibrations or {}).get(name, Calibration())
        decoded = search(output, lengths, vocab.blank_index)
        readings = dict.fromkeys(range(len(lengths)))
        if chosen:
            steps = [lengths[i] for i in chosen]
            found = single_sign_log_likelihoods(
                output[chosen], steps, vocab.blank_index
            )
            counts = [single_signs[i] for i in chosen]
            found = read_single_signs(found, vocab, counts, own.signs, steps)
            readings |= zip(chosen, found)
        for index, hypotheses in enumerate(decoded):
            sample, steps, best = samples[index], output[index], hypotheses[0]
            timed = timed_glosses(best, steps, vocab, sample.clock, own.glosses)
            n_best = tuple((tuple(vocab.decode(h.ids)), h.score) for h in hypotheses)
            found = GlossPrediction(timed, best.score, n_best, readings[index])
            sample.predictions[name] = found
            sample.log_probs[name] = steps[: sample.clock.valid_steps]


def timed_glosses(
    hypothesis: Hypothesis,
    log_probs: Tensor,
    vocab: GlossVocabulary,
    clock: StepClock,
    confidences: ConfidenceMap | None = None,
) -> tuple[TimedGloss, ...]:
    """The glosses of a labelling of ``log_probs`` (T', V), on the CPU, with the times
    of ``clock``; the score is the mean probability over their steps, mapped by
    ``confidences``."""
    timed = []
    glosses = vocab.decode(hypothesis.ids)
    for gloss, index, (first, end) in zip(glosses, hypothesis.ids, hypothesis.spans):
        begins, ends = (round(time, 4) for time in clock.span(first, end))
        score = float(log_probs[first:end, index].exp().mean())
        score = round(score if confidences is None else confidences(score), 4)
        timed.append(TimedGloss(gloss, begins, round(ends - begins, 4), score))
    return tuple(timed)
