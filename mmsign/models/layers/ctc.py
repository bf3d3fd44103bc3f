"""CTC of several outputs at once, with its gradient.

Symbols: O outputs of a network, B clips, N = O·B sequences, T steps, V classes,
L glosses of a target, S = 2·L + 1 states: its glosses, blanks before, between, after.
Rows are the steps of all sequences, one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmsign.vocab import steps_needed

from .sequence import upload


def ctc_losses(
    logits: Sequence[Tensor],
    lengths: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    blank: int = 0,
    factor: float = 1.0,
) -> Tensor:
    """CTC of each output, summed over its clips, times ``factor``.

    A target that cannot be aligned with its steps counts as 0.

    Args:
        logits: (B, T, V) of each output, of any T.
        lengths: Valid steps of each clip in each output.
        targets: Class indices of each clip, without blanks.
        blank: Index of the blank.

    Returns:
        (O,), in float32 at least.
    """
    plan = _Plan([x.shape[1] for x in logits], lengths, targets, blank)
    dtype = torch.promote_types(logits[0].dtype, torch.float32)
    rows = torch.cat([x.to(dtype).flatten(0, 1) for x in logits])
    return _CTC.apply(rows, plan, factor)


class _Plan:
    """Indices for the sequences of a batch, made on the host and copied at once."""

    def __init__(
        self,
        steps: Sequence[int],
        lengths: Sequence[Sequence[int]],
        targets: Sequence[Sequence[int]],
        blank: int,
    ) -> None:
        outputs, clips = len(steps), len(targets)
        self.shape = outputs, clips
        self.blank = blank
        valid = [n for of_output in lengths for n in of_output]
        self.steps = [max(n, 1) for n in valid]
        self.targets = list(targets) * outputs
        self.sizes = [len(target) for target in self.targets]
        n, size = np.array(valid)[:, None], np.array(self.sizes)[:, None]
        feasible = [s >= max(steps_needed(x), 1) for s, x in zip(valid, self.targets)]
        feasible = np.array(feasible)[:, None]
        time, state = np.arange(max(steps)), np.arange(2 * max(self.sizes) + 1)
        of_output = np.repeat(steps, clips)
        first = np.cumsum(of_output) - of_output
        back = np.maximum(n - 1 - time, 0)
        symbols = np.full((len(n), len(state)), blank)
        for row, target in zip(symbols, self.targets):
            row[1 : 2 * len(target) : 2] = target
        reached = (time < n) & feasible
        # For each row its step among those of the sequences, and whether it counts.
        within = [np.arange(steps) for steps in of_output]
        step_of_row = [i * len(time) + part for i, part in enumerate(within)]
        counts = [part < k for part, k in zip(within, n[:, 0] * feasible[:, 0])]
        self._indices = dict(
            rows=first[:, None] + np.minimum(time, np.maximum(n - 1, 0)),
            rows_back=first[:, None] + back,
            back=back,
            mirror=np.maximum(2 * size - state, 0),
            symbols=symbols,
            reached=reached[:, :, None] & (state <= 2 * size)[:, None],
            feasible=feasible[:, 0],
            step_of_row=np.concatenate(step_of_row),
            counts=np.concatenate(counts),
            output_of_row=np.repeat(np.arange(len(n)) // clips, of_output),
            target=[i for target in self.targets for i in target],
            target_back=[i for target in self.targets for i in target[::-1]],
        )

    def on(self, device: torch.device) -> dict[str, Tensor]:
        """The indices by name."""
        arrays = {k: np.asarray(x, np.int64) for k, x in self._indices.items()}
        flat = upload(np.concatenate([x.ravel() for x in arrays.values()]), device)
        parts = flat.split([x.size for x in arrays.values()])
        return {
            name: part.view(x.shape) for part, (name, x) in zip(parts, arrays.items())
        }


class _CTC(torch.autograd.Function):
    """Logits (rows, V) → (O,) losses times a factor.

    PyTorch's forward variables of every sequence and of its mirror image, so forward
    and backward, give each state's probability and with it the gradient (eq. 14 and
    16 of the paper). Its own backward pass waits for a GPU another three times, and
    sums in another order each time.
    """

    @staticmethod
    def forward(ctx, logits, plan, factor):
        with torch.autocast(logits.device.type, enabled=False):
            index = plan.on(logits.device)
            log_probs = logits.log_softmax(-1)
            both = torch.cat([index['rows'], index['rows_back']])
            losses, log_alpha = torch._ctc_loss(
                log_probs[both.t()],
                torch.cat([index['target'], index['target_back']]),
                plan.steps * 2,
                plan.sizes * 2,
                plan.blank,
            )
            count = len(plan.steps)
            losses = losses[:count]
            total = torch.where(index['feasible'].bool(), losses, 0)
            total = total.view(plan.shape).sum(1) * factor
            if ctx.needs_input_grad[0]:
                gradient = _gradient(log_probs, losses, log_alpha, index)
                scale = index['counts'][:, None].to(logits.dtype) * factor
                ctx.save_for_backward(gradient.mul_(scale), index['output_of_row'])
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        of_logits, output = ctx.saved_tensors
        return of_logits * gradient[output][:, None], None, None


def _gradient(log_probs, losses, log_alpha, index) -> Tensor:
    """(rows, V): of the sequences' losses, for the rows that count."""
    count = len(losses)
    symbols = index['symbols']
    sequence = torch.arange(count, 2 * count, device=losses.device)[:, None, None]
    log_beta = log_alpha[sequence, index['back'][:, :, None], index['mirror'][:, None]]
    emitted = log_probs[index['rows'][:, :, None], symbols[:, None]]
    posterior = log_alpha[:count] + log_beta - emitted + losses[:, None, None]
    posterior = torch.where(index['reached'].bool(), posterior.exp_(), 0)
    one_hot = log_probs.new_zeros(*symbols.shape, log_probs.shape[1])
    one_hot.scatter_(2, symbols[:, :, None], 1)
    expected = torch.bmm(posterior, one_hot).flatten(0, 1)
    return log_probs.exp().sub_(expected[index['step_of_row']])
