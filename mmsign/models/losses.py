"""Terms of the training loss.

Symbols: B clips, T steps, V classes with the blank; U tokens of a sentence. Of CTC: O
outputs of a network, N = O·B sequences, L glosses of a target, S = 2·L + 1 states (its
glosses, blanks before, between, after); rows are the steps of all sequences, one after
the other.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmsign.errors import ConfigError
from mmsign.registry import MODELS
from mmsign.vocab import steps_needed

from .layers.sequence import length_mask, upload
from .layers.shifts import at_least_float32


@MODELS.register_module()
class CTCLoss(nn.Module):
    """CTC summed over the batch, divided by B.

    A target longer than CTC can align with its output has an infinite loss; it is
    zeroed here, and ``infeasible`` of the recognizer tells beforehand, without looking
    at the device, which clips this concerns.

    Args:
        loss_weight: Factor of the result.

    Examples:
        Of 4 alignments, 3 give the target:

        >>> loss = CTCLoss()(torch.zeros(1, 2, 2), lengths=[2], targets=[[1]])
        >>> round(loss.exp().item(), 3)  # 4 / 3
        1.333
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(
        self,
        logits: Tensor | Sequence[Tensor],
        lengths: Sequence[int] | Sequence[Sequence[int]],
        targets: Sequence[Sequence[int]],
        blank: int = 0,
        weights: Sequence[float] | None = None,
    ) -> Tensor | tuple[Tensor, ...]:
        """Compute, for one output or for all of a network at once.

        Args:
            logits: (B, T, V); or one such tensor per output, of any T each.
            lengths: Valid steps of each clip; or these of each output.
            targets: Class indices of each clip, without blanks.
            blank: Index of the blank.
            weights: A factor of each output's loss; 1 if None.

        Returns:
            Scalar, in float32 at least; or one per output.
        """
        if isinstance(logits, Tensor):
            return self([logits], [lengths], targets, blank)[0]
        plan = _Plan([x.shape[1] for x in logits], lengths, targets, blank)
        dtype = at_least_float32(logits[0].dtype)
        rows = torch.cat([x.to(dtype).flatten(0, 1) for x in logits])
        factors = np.array(weights or [1.0] * len(logits)) * self.loss_weight
        factors = upload(factors / len(targets), rows.device).to(dtype)
        return _CTC.apply(rows, plan, factors).unbind()


class _Plan:
    """Indices for the sequences of a batch, made on the host and copied at once."""

    def __init__(self, steps, lengths, targets, blank: int) -> None:
        outputs, clips = len(steps), len(targets)
        self.shape = outputs, clips
        self.blank = blank
        valid = [n for of_output in lengths for n in of_output]
        self.steps = [max(n, 1) for n in valid]
        self.targets = list(targets) * outputs
        self.sizes = [len(target) for target in self.targets]
        n, size = np.array(valid)[:, None], np.array(self.sizes)[:, None]
        needed = [max(steps_needed(target), 1) for target in self.targets]
        feasible = n >= np.array(needed)[:, None]
        time, state = np.arange(max(steps)), np.arange(2 * max(self.sizes) + 1)
        of_output = np.repeat(steps, clips)
        first = np.cumsum(of_output) - of_output
        back = np.maximum(n - 1 - time, 0)
        symbols = np.full((len(n), len(state)), blank)
        for row, target in zip(symbols, self.targets):
            row[1 : 2 * len(target) : 2] = target
        reached = (time < n) & feasible
        # Each true entry is a row, in their order.
        exists = time < of_output[:, None]
        self._indices = dict(
            rows=first[:, None] + np.minimum(time, np.maximum(n - 1, 0)),
            rows_back=first[:, None] + back,
            back=back,
            mirror=np.maximum(2 * size - state, 0),
            symbols=symbols,
            reached=reached[:, :, None] & (state <= 2 * size)[:, None],
            feasible=feasible[:, 0],
            # Of each row, and whether it counts.
            step_of_row=np.flatnonzero(exists),
            counts=reached[exists],
            output_of_row=np.repeat(np.arange(len(n)) // clips, of_output),
            target=[i for target in self.targets for i in target],
            target_back=[i for target in self.targets for i in target[::-1]],
        )

    def on(self, device: torch.device) -> dict[str, Tensor]:
        """The indices by name."""
        arrays = {k: np.asarray(x, np.int64) for k, x in self._indices.items()}
        flat = upload(np.concatenate([x.ravel() for x in arrays.values()]), device)
        parts = flat.split([x.size for x in arrays.values()])
        return {k: part.view(x.shape) for part, (k, x) in zip(parts, arrays.items())}


class _CTC(torch.autograd.Function):
    """Logits (rows, V) → (O,) losses times factors (O,).

    PyTorch's forward variables of every sequence and of its mirror image, so forward
    and backward, give each state's probability and with it the gradient (eq. 14 and
    16 of the paper). Its own backward pass waits for a GPU another three times, and
    sums in another order each time.
    """

    @staticmethod
    def forward(ctx, logits, plan, factors):
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
            total = total.view(plan.shape).sum(1) * factors
            if ctx.needs_input_grad[0]:
                expected = _expected(log_probs, losses, log_alpha, index)
                gradient = log_probs.exp().sub_(expected)
                output = index['output_of_row']
                scale = index['counts'] * factors[output]
                ctx.save_for_backward(gradient.mul_(scale[:, None]), output)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        of_logits, output = ctx.saved_tensors
        return of_logits * gradient[output][:, None], None, None


def _expected(log_probs, losses, log_alpha, index) -> Tensor:
    """(rows, V): how probably a row is of a class in an alignment of its target."""
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
    return expected[index['step_of_row']]


@MODELS.register_module()
class SelfDistillationLoss(nn.Module):
    """KL divergence of each head from the heads' average, on valid steps.

    The teacher p_a is the mean of the heads' probabilities and is not
    back-propagated through. For each head h the term is
    Σ_{b, t < length_b} KL(p_a ‖ p_h) / B.

    Args:
        loss_weight: Factor of every term.
        count_padding: Whether the sum is over padded steps too, as in MSKA's published
            code.

    Examples:
        >>> sure, unsure = torch.tensor([[[9.0, 0.0]]]), torch.zeros(1, 1, 2)
        >>> heads = dict(video=sure, keypoint=unsure)
        >>> found = SelfDistillationLoss()(heads, lengths=torch.tensor([1]))
        >>> {name: round(term.item(), 2) for name, term in found.items()}
        {'video': 1.69, 'keypoint': 0.13}
    """

    def __init__(self, loss_weight: float = 1.0, count_padding: bool = False) -> None:
        super().__init__()
        self.loss_weight, self.count_padding = loss_weight, count_padding

    def forward(self, logits: Mapping[str, Tensor], lengths: Tensor) -> dict:
        """Compute.

        Args:
            logits: Name → (B, T, V) of each head.
            lengths: (B,) valid steps.

        Returns:
            Name → scalar.
        """
        heads = torch.stack([x.float() for x in logits.values()]).log_softmax(-1)
        teacher = heads.detach().exp().mean(0)
        if not self.count_padding:
            teacher = teacher * length_mask(lengths, heads.shape[2])[..., None]
        divergence = torch.xlogy(teacher, teacher) - teacher * heads
        terms = divergence.sum((1, 2, 3)) * (self.loss_weight / len(teacher))
        return dict(zip(logits, terms.unbind()))


@MODELS.register_module()
class TemperatureDistillationLoss(nn.Module):
    """KL divergence of one output from another at a temperature, over the glosses.

    With logits z without the blank's, p = softmax(z/τ) of the teacher, which is not
    back-propagated through, and q of the student, it is the mean of τ²·KL(p ‖ q) over
    the valid steps of all clips.

    Args:
        temperature: τ.
        loss_weight: Factor of the result.

    Examples:
        >>> student, teacher = torch.zeros(1, 1, 3), torch.tensor([[[9.0, 0.0, 1.0]]])
        >>> loss = TemperatureDistillationLoss(temperature=1.0)
        >>> round(loss(student, teacher).item(), 3)  # KL of (.27, .73) from (.5, .5)
        0.111
    """

    def __init__(self, temperature: float = 8.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        if not temperature > 0:
            raise ConfigError(f'temperature must be positive, not {temperature}')
        self.temperature, self.loss_weight = temperature, loss_weight

    def forward(
        self,
        student: Tensor,
        teacher: Tensor,
        lengths: Tensor | None = None,
        blank: int = 0,
    ) -> Tensor:
        """Compute.

        Args:
            student, teacher: (B, T, V) logits.
            lengths: (B,) valid steps; None counts all.
            blank: Index of the blank.

        Returns:
            Scalar.
        """
        both = torch.stack([student, teacher.detach()]).float() / self.temperature
        both = torch.cat([both[..., :blank], both[..., blank + 1 :]], dim=-1)
        student, teacher = both.log_softmax(-1).unbind()
        divergence = (teacher.exp() * (teacher - student)).sum(-1)
        if lengths is None:
            mean = divergence.mean()
        else:
            valid = length_mask(lengths, divergence.shape[1])
            mean = (divergence * valid).sum() / valid.sum().clamp(min=1)
        return mean * (self.temperature**2 * self.loss_weight)


@MODELS.register_module()
class LabelSmoothingLoss(nn.Module):
    """Divergence of the prediction from the smoothed target.

    The target gives 1 − s to the true token, s/(V − 2) to every other token
    except the padding, and nothing to that. The loss is Σ KL(target ‖ prediction)
    over the tokens, divided by B: the smoothed cross-entropy less its smallest
    possible value, as the authors of the paper compute it.

    Args:
        smoothing: s; 0 gives the plain cross-entropy.
        loss_weight: Factor of the result.

    Examples:
        >>> import torch
        >>> target = torch.tensor([[2]])
        >>> like_target = torch.tensor([[[1e-9, .1, .8, .1]]]).log()  # 0 is padding
        >>> loss = LabelSmoothingLoss(smoothing=0.2)
        >>> abs(loss(like_target, target, pad_id=0).item()) < 1e-5
        True
    """

    def __init__(self, smoothing: float = 0.2, loss_weight: float = 1.0) -> None:
        super().__init__()
        if not 0 <= smoothing < 1:
            raise ConfigError(f'smoothing must lie in [0, 1), not {smoothing}')
        self.smoothing = smoothing
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, pad_id: int) -> Tensor:
        """Compute.

        Args:
            logits: (B, U, V).
            targets: (B, U) ids, ``pad_id`` where there is no token.
            pad_id: Id of the padding.

        Returns:
            Scalar.
        """
        log_probs = logits.float().log_softmax(-1)
        true, other = 1 - self.smoothing, self.smoothing / (logits.shape[-1] - 2)
        of_true = log_probs.gather(-1, targets[..., None])[..., 0]
        of_others = log_probs.sum(-1) - of_true - log_probs[..., pad_id]
        entropy = true * math.log(true)
        if self.smoothing:
            entropy += self.smoothing * math.log(other)
        divergence = entropy - true * of_true - other * of_others
        valid = targets != pad_id
        return self.loss_weight * divergence.masked_fill(~valid, 0).sum() / len(targets)
