"""`napari-cryopick report`: what came of a training run, as one HTML file."""

from __future__ import annotations

from pathlib import Path

from .terminal import ExitCode, echo


def report(run: Path, /, *, output: Path | None = None) -> ExitCode:
    """Report on a run: which model to use, whether to go on, and why.

    Reads the run's folder alone, also of a run that is still going on. Micrographs are pictured
    if they are where the run found them.

    Parameters
    ----------
    run
        The folder that train or self-train has written.
    output
        The HTML file; report.html in the run by default.
    """
    from ..runs.report import write_report

    echo(f"The report is in {write_report(run, output)}.")
    return ExitCode.DONE
