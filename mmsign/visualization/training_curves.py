"""Curves of one or more trainings: the loss and its terms, and the scores.

Lengths are inches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mmsign.errors import ConfigError

from .fonts import LATIN, font_families
from .timeline import COLOURS, LINES
from .training_log import Curve, TrainingLog

# What is drawn of the scores, if it is there, and whether small is good; else all are.
SCORES = {'WER': True, 'BLEU-4': False, 'ROUGE-L': False}
COLUMNS, WIDTH, HEIGHT = 4, 16.0, 2.7
# A legend entry, and a panel: title, lines (label, curve), whether small is good.
Line = tuple[str, int, Curve]
Panel = tuple[str, list[Line], bool | None]


def save_curves(path: str | Path, logs: Sequence[TrainingLog]) -> None:
    """Draw the trainings.

    Of one training, the scores of all outputs share a panel; of several, each output
    has one, and each training its colour.

    Args:
        path: PNG, PDF or SVG to write; missing folders are made.
        logs: At least one, all by epoch or all by iteration.

    Raises:
        ValueError: they are not; or the file's suffix is none of an image.
    """
    # Imported here: a figure is the only thing that needs matplotlib.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if len({log.unit for log in logs}) > 1:
        raise ConfigError(
            'trainings by epoch and by iteration have no common axis; plot them apart: '
            + ', '.join(f'{log.name} is by {log.unit}' for log in logs)
        )
    scores, losses = score_panels(logs), loss_panels(logs)
    head = 0.75 + 0.22 * len(logs) if len(logs) > 1 else 0.6
    grids, height = [], head
    # Few scores are wide.
    for panels, most in (
        (scores, max(1, min(COLUMNS, len(scores)))),
        (losses, COLUMNS),
    ):
        for first in range(0, len(panels), most):
            grids.append((height, most, panels[first : first + most]))
            height += HEIGHT
    figure = Figure(figsize=(WIDTH, height), facecolor='white')
    canvas = FigureCanvasAgg(figure)
    if Path(path).suffix.lstrip('.').lower() not in canvas.get_supported_filetypes():
        raise ConfigError(f'{path}: name a picture that can be written, such as .png')
    for top, columns, panels in grids:
        for column, panel in enumerate(panels):
            left = column * WIDTH / columns + 0.65
            size = WIDTH / columns - 0.9, HEIGHT - 0.95
            low = height - top - HEIGHT + 0.6
            axes = figure.add_axes(
                (left / WIDTH, low / height, size[0] / WIDTH, size[1] / height)
            )
            _draw(axes, panel, logs)
            axes.set_xlabel(logs[0].unit, fontsize=8, labelpad=2)
    title = logs[0].name if len(logs) == 1 else f'{len(logs)} trainings'
    if any(log.starts for log in logs):
        title += '  (dotted: resumed)'
    text = dict(va='top', family=font_families(), parse_math=False)
    figure.text(0.02, 1 - 0.12 / height, title, fontsize=13, **text)
    if len(logs) > 1:
        for number, log in enumerate(logs):
            y = 1 - (0.5 + 0.22 * number) / height
            figure.text(0.045, y, log.name, fontsize=10, **text)
            middle = y - 0.08 / height
            (line,) = figure.add_axes((0, 0, 1, 1), frameon=False).plot(
                *([0.02, 0.04], [middle] * 2), **_style(number), linewidth=2
            )
            line.axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], zorder=-1)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def score_panels(logs: Sequence[TrainingLog]) -> list[Panel]:
    """A panel per score of one training, per score and output of several."""
    names = list(dict.fromkeys(name for log in logs for name in log.validation))
    kinds = [kind for kind in SCORES if any(_kind(name) == kind for name in names)]
    if not kinds:
        return [_panel(name, logs, lambda log: log.validation) for name in names]
    panels: list[Panel] = []
    for kind in kinds:
        outputs = [name for name in names if _kind(name) == kind]
        if len(logs) == 1:
            lines = [
                (name.rpartition('/')[0], number, logs[0].validation[name])
                for number, name in enumerate(outputs)
            ]
            panels.append((kind, lines, SCORES[kind]))
            continue
        for name in outputs:
            title, lines, _ = _panel(name, logs, lambda log: log.validation)
            panels.append((title, lines, SCORES[kind]))
    return panels


def loss_panels(logs: Sequence[TrainingLog]) -> list[Panel]:
    """A panel per term of the loss, and one of the learning rate."""
    names = dict.fromkeys(name for log in logs for name in log.losses)
    names |= dict.fromkeys(n for n in ('lr',) for log in logs if n in log.training)
    return [_panel(name, logs, lambda log: log.training) for name in names]


def summary(log: TrainingLog) -> str:
    """The training in a few lines of text."""
    last = max(curve.places[-1] for curve in log.training.values())
    lines = [f'{log.name}: {log.iterations} iterations, to {log.unit} {last:g}']
    for start in log.starts:
        lines.append(f'  resumed at {log.unit} {start:g}')
    width = max(map(len, (*log.losses, *log.validation, '')))
    for name in log.losses:
        values = log.training[name].values
        lines.append(f'  {name:<{width}}  {values[0]:9.3f} -> {values[-1]:.3f}')
    for name, curve in log.validation.items():
        kind = _kind(name)
        if kind in SCORES:
            value, place = curve.best(SCORES[kind])
            lines.append(
                f'  {name:<{width}}  best {value:6.2f} at {log.unit} {place:g}, '
                f'last {curve.values[-1]:.2f}'
            )
    return '\n'.join(lines)


def _kind(name: str) -> str:
    return name.rpartition('/')[2]


def _panel(
    name: str,
    logs: Sequence[TrainingLog],
    curves: Callable[[TrainingLog], dict[str, Curve]],
) -> Panel:
    lines = [
        ('', number, curves(log)[name])
        for number, log in enumerate(logs)
        if name in curves(log)
    ]
    return name, lines, None


def _style(number: int) -> dict:
    return dict(
        color=COLOURS[number % len(COLOURS)],
        linestyle=LINES[number // len(COLOURS) % len(LINES)],
    )


def _draw(axes, panel: Panel, logs: Sequence[TrainingLog]) -> None:
    from matplotlib.ticker import LogLocator

    title, lines, smallest = panel
    axes.set_title(title, fontsize=10, loc='left', family=LATIN, parse_math=False)
    axes.grid(color='#e8e8e8', linewidth=0.7)
    axes.tick_params(labelsize=8)
    for side in ('top', 'right'):
        axes.spines[side].set_visible(False)
    scored = smallest is not None
    for label, number, curve in lines:
        places, values = curve.places, curve.values
        marker = 'o' if scored or len(values) == 1 else None
        style = dict(_style(number), marker=marker, markersize=3, linewidth=1.5)
        if scored:
            best, place = curve.best(smallest)
            label = f'{label}  {best:.1f}'.strip()
            axes.plot(place, best, 'o', color=style['color'], markersize=6)
        axes.plot(places, values, label=label or None, **style)
    values = [value for _, _, curve in lines for value in curve.values]
    if not scored and min(values) > 0 and max(values) > 10 * min(values):
        axes.set_yscale('log')
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter('{x:g}')
        axes.yaxis.set_minor_formatter('')
    elif scored:
        axes.set_ylim(0, 1.05 * max(1e-9, *values))
    for number, log in enumerate(logs):
        for start in log.starts:
            colour = COLOURS[number % len(COLOURS)] if len(logs) > 1 else '#777777'
            axes.axvline(start, color=colour, linewidth=0.8, linestyle=':')
    if any(label for label, _, _ in lines) or scored:
        axes.legend(fontsize=8, frameon=False, title='best', title_fontsize=8)
