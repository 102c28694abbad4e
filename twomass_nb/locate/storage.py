"""The one file an index is kept in: named arrays without pickle, and a JSON head that says what.

It is a NumPy .npz (an uncompressed zip of .npy) under whatever name it was given.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Column, MaskedColumn, Table
from numpy.typing import NDArray

from ..errors import NotFoundError, TableError

__all__ = ["load_index", "save_index"]

_KIND = "twomass_nb scan index"
_VERSION = 1
_ARRAYS = ("order", "offsets", "scans", "corners", "normals")


def save_index(path: str | PathLike[str], table: Table, arrays: dict[str, NDArray[Any]]) -> None:
    """Write a table and the arrays of an index into one file, whole or not at all.

    Raises
    ------
    TableError
        If the file cannot be written.
    """
    path = Path(path)
    columns = []
    content = {name: arrays[name] for name in _ARRAYS}
    for i, name in enumerate(table.colnames):
        column = table[name]
        data = np.ma.getdata(column)
        content[f"column_{i}"] = data.astype(str) if data.dtype.kind == "O" else np.asarray(data)
        masked = isinstance(column, MaskedColumn)
        if masked:
            content[f"mask_{i}"] = np.ma.getmaskarray(column)
        unit = None if column.unit is None else str(column.unit)
        columns.append({"name": name, "unit": unit, "masked": masked})
    head = {"kind": _KIND, "version": _VERSION, "columns": columns, "meta": _plain(table.meta)}
    content["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as err:
        msg = f"{path} cannot be written: {err.strerror or err}"
        raise TableError(msg) from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **content)  # type: ignore[arg-type]
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as err:
        msg = f"{path} cannot be written: {err.strerror or err}"
        raise TableError(msg) from None
    finally:
        temporary.unlink(missing_ok=True)


def load_index(path: str | PathLike[str]) -> tuple[Table, dict[str, NDArray[Any]]]:
    """Read back what `save_index` wrote.

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If it is not an index, or a broken one.
    """
    path = Path(path)
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as names:
            content = {Path(name).stem: _array(names, name) for name in names.namelist()}
        head = json.loads(content.pop("head").tobytes())
        if head["kind"] != _KIND:
            raise KeyError(head["kind"])
        if head["version"] != _VERSION:
            msg = f"{path} is an index of version {head['version']}, not {_VERSION}: build it again"
            raise TableError(msg)
        table = Table(meta=head["meta"])
        missing = [name for name in _ARRAYS if name not in content]
        if missing:
            raise KeyError(missing[0])
        for i, column in enumerate(head["columns"]):
            made: Any = MaskedColumn if column["masked"] else Column
            options = {"mask": content.pop(f"mask_{i}")} if column["masked"] else {}
            data = content.pop(f"column_{i}")
            table[column["name"]] = made(data, unit=column["unit"], copy=False, **options)
    except FileNotFoundError:
        msg = f"{path}: no such file"
        raise NotFoundError(msg) from None
    except OSError as err:
        msg = f"{path} cannot be read: {err.strerror or err}"
        raise TableError(msg) from None
    except TableError:
        raise
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        msg = f"{path} is not a scan index, or a broken one: build it again with ScanLocator.save"
        raise TableError(msg) from None
    return table, content


def _array(names: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with names.open(name) as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _plain(meta: Any) -> dict[str, Any]:
    """Metadata as far as JSON can hold it; what it cannot hold is turned into text."""
    return json.loads(json.dumps(dict(meta), default=str))
