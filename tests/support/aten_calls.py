"""Calls of PyTorch's operators in a region: what may launch kernels on a GPU."""

from __future__ import annotations

import traceback
from collections import Counter

from torch.utils._python_dispatch import TorchDispatchMode


class AtenCalls(TorchDispatchMode):
    """Counts by operator, and by the line of mmsign that called it.

    Views launch nothing and do not count.

    Attributes:
        operators: How often each was called.
        lines: How often each line called one; '' in the backward pass.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operators: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if not func.is_view:
            self.operators[func.name()] += 1
            frames = traceback.extract_stack()
            ours = [f for f in frames if '/mmsign/' in f.filename]
            place = f'{ours[-1].filename}:{ours[-1].lineno}' if ours else ''
            self.lines[place.rpartition('/mmsign/')[2]] += 1
        return func(*args, **(kwargs or {}))

    def total(self) -> int:
        return sum(self.operators.values())

    def __str__(self) -> str:
        parts = []
        for title, found in dict(operator=self.operators, line=self.lines).items():
            rows = [f'{count:6} {name}' for name, count in found.most_common(40)]
            parts += [f'calls by {title}', *rows]
        return '\n'.join(parts)
