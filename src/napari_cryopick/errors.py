"""The one exception a user is meant to read."""


class CryopickError(Exception):
    """A user's mistake or bad input, told in one sentence: what, where and what to do."""
