"""Curves of one or more trainings: the loss and its terms, and the scores.

Lengths are inches.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mmsign.errors import ConfigError
from mmsign.files import replacing

from .fonts import LATIN, font_families
from .timeline import line_style
from .training_log import Curve, TrainingLog

# What is drawn of the scores, if it is there, and whether small is good; else all are.
SCORES = {'WER': True, 'BLEU-4': False, 'ROUGE-L': False}
COLUMNS, WIDTH, HEIGHT = 4, 16.0, 2.7


class Panel(NamedTuple):
    """Curves on common axes.

    Attributes:
        title: Of the panel.
        lines: Name in the legend, number of the style, and curve of each.
        smallest: Of a score, whether small is good.
    """

    title: str
    lines: list[tuple[str, int, Curve]]
    smallest: bool | None = None


def save_curves(path: str | Path, logs: Sequence[TrainingLog]) -> None:
    """Draw the trainings.

    Of one training, the scores of all outputs share a panel; of several, each output
    has one, and each training its colour.

    Args:
        path: PNG, PDF or SVG to write; missing folders are made.
        logs: At least one, all by epoch or all by iteration.

    Raises:
        ConfigError: They are not; or the file's suffix is none of an image.
    """
    # Imported here: a figure is the only thing that needs matplotlib.
    from matplotlib.figure import Figure

    if len({log.unit for log in logs}) > 1:
        units = ', '.join(f'{log.name} by {log.unit}' for log in logs)
        raise ConfigError(f'trainings have no common axis, plot them apart: {units}')
    scores, losses = score_panels(logs), loss_panels(logs)
    wide = min(COLUMNS, len(scores)) or 1  # few scores are wide
    rows = [(wide, scores[i : i + wide]) for i in range(0, len(scores), wide)]
    rows += [(COLUMNS, losses[i : i + COLUMNS]) for i in range(0, len(losses), COLUMNS)]
    several = len(logs) > 1
    head = 0.75 + 0.22 * len(logs) if several else 0.6
    height = head + HEIGHT * len(rows)
    figure = Figure(figsize=(WIDTH, height), facecolor='white')
    kind = Path(path).suffix.lstrip('.').lower()
    if kind not in figure.canvas.get_supported_filetypes():
        raise ConfigError(f'{path}: name a picture that can be written, such as .png')
    for number, (columns, panels) in enumerate(rows, 1):
        low = height - head - HEIGHT * number + 0.6
        for column, panel in enumerate(panels):
            left, width = column * WIDTH / columns + 0.65, WIDTH / columns - 0.9
            place = left / WIDTH, low / height, width / WIDTH, (HEIGHT - 0.95) / height
            _draw(figure.add_axes(place), panel, logs)
    title = f'{len(logs)} trainings' if several else logs[0].name
    title += '  (dotted: resumed)' * any(log.starts for log in logs)
    text = dict(va='top', family=font_families(), parse_math=False)
    figure.text(0.02, 1 - 0.12 / height, title, fontsize=13, **text)
    for number, log in enumerate(logs if several else ()):
        y = 1 - (0.5 + 0.22 * number) / height
        figure.text(0.045, y, log.name, fontsize=10, **text)
        axes = figure.add_axes((0.02, y - 0.16 / height, 0.02, 0.16 / height))
        axes.plot([0, 1], [0, 0], **line_style(number), linewidth=2)
        axes.set_axis_off()
    with replacing(path) as file:
        figure.savefig(file, format=kind, dpi=100)


def score_panels(logs: Sequence[TrainingLog]) -> list[Panel]:
    """A panel per score of one training, per score and output of several."""
    names = list(dict.fromkeys(name for log in logs for name in log.validation))
    known = [name for kind in SCORES for name in names if _kind(name) == kind]
    panels = [_panel(name, (log.validation for log in logs)) for name in known or names]
    if len(logs) > 1 or not known:
        return panels
    together = {_kind(name): [] for name in known}
    for panel in panels:
        lines, output = together[_kind(panel.title)], panel.title.rpartition('/')[0]
        lines.append((output, len(lines), panel.lines[0][2]))
    return [Panel(kind, lines, SCORES[kind]) for kind, lines in together.items()]


def loss_panels(logs: Sequence[TrainingLog]) -> list[Panel]:
    """A panel per term of the loss, and one of the learning rate."""
    names = [*dict.fromkeys(name for log in logs for name in log.losses), 'lr']
    panels = [_panel(name, (log.training for log in logs)) for name in names]
    return [panel for panel in panels if panel.lines]


def summary(log: TrainingLog) -> str:
    """The training in a few lines of text."""
    last = max(curve.places[-1] for curve in log.training.values())
    lines = [f'{log.name}: {log.iterations} iterations, to {log.unit} {last:g}']
    lines += [f'  resumed at {log.unit} {start:g}' for start in log.starts]
    width = max(map(len, (*log.losses, *log.validation, '')))
    for name in log.losses:
        values = log.training[name].values
        lines.append(f'  {name:<{width}}  {values[0]:9.3f} -> {values[-1]:.3f}')
    for name, curve in log.validation.items():
        if _kind(name) in SCORES:
            value, place = curve.best(SCORES[_kind(name)])
            best = f'best {value:6.2f} at {log.unit} {place:g}'
            lines.append(f'  {name:<{width}}  {best}, last {curve.values[-1]:.2f}')
    return '\n'.join(lines)


def _kind(name: str) -> str:
    return name.rpartition('/')[2]


def _panel(name: str, trainings: Iterable[Mapping[str, Curve]]) -> Panel:
    lines = [('', number, x[name]) for number, x in enumerate(trainings) if name in x]
    return Panel(name, lines, SCORES.get(_kind(name)))


def _draw(axes, panel: Panel, logs: Sequence[TrainingLog]) -> None:
    axes.set_xlabel(logs[0].unit, fontsize=8, labelpad=2)
    axes.set_title(panel.title, fontsize=10, loc='left', family=LATIN, parse_math=False)
    axes.grid(color='#e8e8e8', linewidth=0.7)
    axes.tick_params(labelsize=8)
    axes.spines[['top', 'right']].set_visible(False)
    scored = panel.smallest is not None
    for label, number, curve in panel.lines:
        marker = 'o' if scored or len(curve.values) == 1 else None
        style = dict(line_style(number), linewidth=1.5, marker=marker, markersize=3)
        if scored:
            best, place = curve.best(panel.smallest)
            label = f'{label}  {best:.1f}'.strip()
            axes.plot(place, best, 'o', color=style['color'], markersize=6)
        axes.plot(curve.places, curve.values, label=label or None, **style)
    values = [value for _, _, curve in panel.lines for value in curve.values]
    if scored:
        axes.set_ylim(0, 1.05 * max(1e-9, *values))
        axes.legend(fontsize=8, frameon=False, title='best', title_fontsize=8)
    elif min(values) > 0 and max(values) > 10 * min(values):
        axes.set_yscale('log')
        axes.locator_params('y', subs=(1, 2, 5))
        axes.yaxis.set_major_formatter('{x:g}')
        axes.yaxis.set_minor_formatter('')
    for number, log in enumerate(logs):
        colour = line_style(number)['color'] if len(logs) > 1 else '#777777'
        for start in log.starts:
            axes.axvline(start, color=colour, linewidth=0.8, linestyle=':')
