"""A report of recognised glosses, one self-contained HTML page."""

from .page import report_page
from .run import Run, load_run
