"""What a training tells, in words for the docks."""

from __future__ import annotations

from math import isfinite, nan

from ..evaluation.run_data import is_ensemble
from ..training.events import (
    Finished,
    Iteration,
    PseudoLabelled,
    Simulating,
    Started,
    TrainingEvent,
)
from .job_control import duration
from .panel import counted


def in_words(event: TrainingEvent) -> str:
    """One or two sentences about an event; "" where there is nothing to say."""
    match event:
        case Simulating():
            return "Simulating micrographs of the structure."
        case Started():
            return _begun(event)
        case PseudoLabelled():
            return (
                f"Round {event.iteration} learns from {counted(event.particles, 'particle')} "
                f"that the model is sure of, on {counted(event.micrographs, 'micrograph')}."
            )
        case Iteration():
            verdict = "is accepted" if event.accepted else "is rolled back"
            what = "The ensemble" if is_ensemble(event.name) else f"Iteration {event.number}"
            return f"{what} {verdict}: {event.reason}"
        case Finished():
            return _ended(event)
    return ""


def _begun(event: Started) -> str:
    if not event.labelled_micrographs:
        return f"Training on {event.device}; simulated particles to learn from."
    return (
        f"Training on {event.device}; {counted(event.training_picks, 'pick')} to learn from, "
        f"{event.held_out_picks} held out to judge."
    )


def _ended(event: Finished) -> str:
    verb = "Stopped" if event.stopped else "Trained"
    told = f"{verb} after {duration(event.seconds)}{_scores(event.metrics)}."
    return " ".join([told, event.advice or "The model is chosen in Predict particles."])


def _scores(metrics: dict[str, float]) -> str:
    """ ": F1 0.86, AP 0.82", as far as they are known."""
    titles = {"f1": "F1", "average_precision": "AP"}
    known = {name: metrics[name] for name in titles if isfinite(metrics.get(name, nan))}
    figures = ", ".join(f"{titles[name]} {value:.2f}" for name, value in known.items())
    return f": {figures}" if figures else ""
