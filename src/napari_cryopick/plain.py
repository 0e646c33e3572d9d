"""Plain values for JSON, which knows no NaN."""

from __future__ import annotations

from math import isnan
from typing import Any


def without_nan(value: Any) -> Any:
    """The same nested dicts and values, with None for NaN."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and isnan(value) else value
