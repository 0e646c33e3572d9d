"""The one exception a user is meant to read."""


class CryopickError(Exception):
    """A user's mistake or bad input, in one sentence: what is wrong, where, and what to do."""
