"""Scalars as MMEngine's LocalVisBackend writes them."""

from __future__ import annotations

import json
from pathlib import Path


def write_log(
    work_dir: Path,
    time: str,
    epochs: range,
    loss: float = 10.0,
    wer: float | None = 80.0,
    by_epoch: bool = True,
    outputs: tuple[str, ...] = ('video', 'average'),
) -> Path:
    """A start of a training: four iterations per epoch, logged every second one.

    The loss is ``loss`` divided by the iteration; the WER ``wer`` less the epoch.
    """
    lines = []
    for epoch in epochs:
        for iteration in (4 * epoch - 2, 4 * epoch):
            value = loss / iteration
            line = dict(
                lr=0.1 / epoch, loss=value, loss_ctc_video=0.75 * value, time=0.2
            )
            clock = dict(epoch=epoch) if by_epoch else {}
            lines.append(line | clock | dict(iter=iteration, step=iteration))
        if wer is not None:
            line = {f'{output}/WER': wer - epoch for output in outputs}
            line |= {f'{output}/S': 3 for output in outputs}
            lines.append(line | dict(data_time=0.1, time=0.3, step=epoch))
    file = work_dir / time / 'vis_data' / 'scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    return file
