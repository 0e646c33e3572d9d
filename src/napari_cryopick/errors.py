"""What a user is meant to read: one exception, and one kind of warning."""

import warnings


class CryopickError(Exception):
    """A user's mistake or bad input, in one sentence: what is wrong, where, and what to do."""


class CryopickWarning(UserWarning):
    """What a user should know though the work goes on, in one sentence."""


def warn(message: str) -> None:
    """Give a `CryopickWarning`, each time and not only once per process."""
    warnings.warn_explicit(message, CryopickWarning, __name__, 1)
