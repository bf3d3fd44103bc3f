"""A clip read as one sign, or as none.

Symbols: B clips, T output steps, V gloss classes with the blank, τ temperature.

A clip of one sign is spelled by the alignments blank* g⁺ blank*. With b and g the
log-probabilities of blank and gloss, B_t and G_t their sums over the steps before t
and D_t = G_t − B_t, the likelihood of the one-gloss sequence is

    P(g) = Σ_{s < e} exp(B_s + (G_e − G_s) + (B_T − B_e))
         = exp(B_T) · Σ_e exp(D_e) · Σ_{s < e} exp(−D_s),

two sums over time for all glosses at once; that of no sign is exp(B_T). Every other
sequence being ruled out, the probabilities of these V outcomes are the softmax of
their log-likelihoods / τ.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmsign.structures import SignReading
from mmsign.vocab import GlossVocabulary

from .calibration import SignCalibration
from .ctc import check_shapes, check_values

# Stands for the logarithm of zero; finite, so that differences stay defined.
_NEVER = -1e6


def single_sign_log_likelihoods(
    log_probs: Tensor | np.ndarray,
    lengths: Tensor | Sequence[int] | None = None,
    blank: int = 0,
) -> Tensor:
    """Log-likelihood of every sequence of one gloss, summed over its alignments.

    Args:
        log_probs: (B, T, V) natural log-probabilities, any floating dtype and device.
        lengths: (B,) valid steps of each clip, 0 to T; None for T.
        blank: Index of the blank.

    Returns:
        (B, V) float64; in the column of the blank that of the empty sequence: no
        sign. A clip of length 0 has nothing else.

    Raises:
        DataError: As in ``CTCBeamSearch.__call__``.

    Examples:
        >>> probs = torch.tensor([[[.6, .4], [.5, .5]]])  # (B, T, V) = (1, 2, 2)
        >>> found = single_sign_log_likelihoods(probs.log())
        >>> [round(p, 2) for p in found.exp()[0].tolist()]  # .4·.5 + .6·.5 + .4·.5
        [0.3, 0.7]
    """
    log_probs, lengths = check_shapes(log_probs, lengths, blank)
    check_values(log_probs.max(-1).values.double().cpu(), lengths)
    # Behind the end, and in one step more, nothing but the blank.
    x = F.pad(log_probs.double(), (0, 0, 0, 1)).clamp(min=_NEVER)
    steps = torch.arange(x.shape[1], device=x.device)
    behind = steps >= torch.tensor(lengths, device=x.device)[:, None]
    x = x.masked_fill(behind[..., None], _NEVER)
    x[..., blank] = x[..., blank].masked_fill(behind, 0.0)
    empty = x[..., blank].sum(1)
    differences = F.pad((x - x[..., blank, None]).cumsum(1), (0, 0, 1, 0))
    begun = (-differences[:, :-1]).logcumsumexp(1)
    found = (differences[:, 1:] + begun).logsumexp(1) + empty[:, None]
    found[:, blank] = empty
    return found.masked_fill(found < _NEVER / 2, -torch.inf)


def sign_probabilities(
    log_likelihoods: Tensor, temperature: float | Tensor = 1.0
) -> Tensor:
    """Probabilities of the outcomes, given that it is one sign or none.

    Args:
        log_likelihoods: (…, V), see ``single_sign_log_likelihoods``.
        temperature: τ, a number or a tensor that is broadcast.

    Returns:
        (…, V), sum 1; all zero where no outcome is possible.
    """
    return (log_likelihoods / temperature).softmax(-1).nan_to_num(0.0)


def read_single_signs(
    log_likelihoods: Tensor,
    vocab: GlossVocabulary,
    n_best: Sequence[int],
    calibration: SignCalibration | None = None,
    lengths: Sequence[int] | None = None,
) -> list[SignReading]:
    """The n best single signs of each clip.

    Args:
        log_likelihoods: (B, V).
        vocab: The glosses.
        n_best: How many are listed, of each clip; at most all.
        calibration: Of this output; None takes τ = 1 and no threshold.
        lengths: Steps of each clip; None if none is longer than the calibration's.
    """
    calibration = calibration or SignCalibration()
    lengths = [0] * len(log_likelihoods) if lengths is None else lengths
    log_likelihoods = log_likelihoods.clone()
    more = [calibration.no_sign_in(length) for length in lengths]
    log_likelihoods[:, vocab.blank_index] += log_likelihoods.new_tensor(more)
    probabilities = sign_probabilities(log_likelihoods, calibration.temperature)
    readings = []
    for row, count in zip(probabilities, n_best, strict=True):
        no_sign = row[vocab.blank_index].item()
        row = row.clone()
        row[vocab.blank_index] = -1.0  # is no sign, so the last
        best = row.sort(descending=True, stable=True)
        count = min(count, len(vocab) - 1)
        found = best.values[:count].tolist()
        names = vocab.decode(best.indices[:count].tolist())
        first = best.values[0].item()
        accepted = first > no_sign and first >= calibration.threshold
        readings.append(SignReading(tuple(zip(names, found)), no_sign, accepted))
    return readings
