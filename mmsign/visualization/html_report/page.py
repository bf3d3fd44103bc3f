"""The report as one HTML page that needs nothing else."""

from collections import Counter
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mmsign.errors import ConfigError
from mmsign.evaluation.wer import operation

from . import error_tables, sign_tables
from .run import Run, in_order_of, rate


def report_page(
    run: Run,
    output: str = 'average',
    other: Run | None = None,
    training: Counter | None = None,
    cleanup: str = 'none',
    costs: str = 'sclite',
) -> str:
    """The page.

    Args:
        run: The run it is about.
        output: The output whose sentences are shown first and sorted by.
        other: A second run on the same clips, to be compared.
        training: How often each gloss occurs in training; None counts those of the
            run's references.
        cleanup: Name of the clean-up, to be told to the reader.
        costs: ``levenshtein`` shows the error rates at unit costs as well.

    Raises:
        ConfigError: The run has no such output; the runs do not go together.
    """
    for one in filter(None, (run, other)):
        if output not in one.errors:
            raise ConfigError(f'{one.name} has no {output!r}, only {[*one.errors]}')
    if other is not None:
        other = in_order_of(run, other)
    # Whatever comes from files is escaped: nothing but the package's own is safe.
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    modules = dict(tables=error_tables, signs=sign_tables)
    environment.globals.update(operation=operation, rate=rate, **modules)
    return environment.get_template('page.html').render(
        run=run,
        output=output,
        other=other,
        training=training,
        cleanup=cleanup,
        costs=costs,
    )
