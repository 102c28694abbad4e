"""What goes into a query as its parameters, and how what DuckDB answers becomes astropy's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.table import Column, MaskedColumn

__all__ = ["as_column", "one_line", "plain_values", "whole_numbers"]


def plain_values(given: Any) -> Any:
    """Return parameters as Python's own values, which is all that DuckDB takes."""
    if isinstance(given, Mapping):
        return {name: _value(one) for name, one in given.items()}
    return [_value(one) for one in given] if isinstance(given, list | tuple) else given


def _value(one: Any) -> Any:
    if one is np.ma.masked:
        return None
    return one.item() if isinstance(one, np.generic) else one


def one_line(error: Exception) -> str:
    """Return what DuckDB says without its picture of the line."""
    text = str(error).split("\nLINE ")[0]
    return " ".join(text.split())[:300]


def whole_numbers(values: Any) -> Any:
    """Return sums of whole numbers, which DuckDB gives as floats, as what they are."""
    if values.size and np.ma.max(np.ma.abs(values)) > 2**53:
        return values
    return np.ma.array(np.ma.filled(values, 0).astype(np.int64), mask=np.ma.getmaskarray(values))


def as_column(values: Any) -> Column:
    """Return a column as all our tables have it: dates as text, nulls masked."""
    null = np.ma.getmaskarray(values)
    data = np.ma.getdata(values)
    if data.dtype.kind == "M":
        # dates are text in all our tables; times keep theirs
        days = data.astype("datetime64[D]")
        data = np.datetime_as_string(days if (days == data)[~null].all() else data)
    elif data.dtype.kind == "O":
        if all(isinstance(v, str) for v in data[~null]):
            data = np.array(["" if n else v for v, n in zip(data, null, strict=True)], dtype=str)
    elif data.dtype.kind == "f":
        null = null | np.isnan(data)
    return MaskedColumn(data, mask=null) if null.any() else Column(data)
