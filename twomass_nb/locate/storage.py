"""The one file an index is kept in: arrays that are mapped into memory, not read.

Layout: 16 bytes that name the kind and version of the file, the length and CRC-32 of a JSON head
(two little-endian 64-bit numbers), the head, then the arrays, each at a multiple of 64 bytes. The
head lists them with type, shape, place and CRC-32. All numbers are little-endian.

Mapping is why loading takes milliseconds, and why processes that load the same file share its
memory.
"""

from __future__ import annotations

import json
import math
import mmap
import zlib
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from astropy.table import Column, MaskedColumn, Table
from numpy.typing import NDArray

from ..errors import NotFoundError, TableError
from ..files import whole_file

__all__ = ["is_index", "load_index", "save_index"]

_MAGIC = b"twomass_nb scan\0"
_VERSION = 2
_ALIGN = 64


def is_index(path: str | PathLike[str]) -> bool:
    """Whether a file starts as an index does."""
    try:
        with Path(path).open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def save_index(
    path: str | PathLike[str], tables: dict[str, Table], arrays: dict[str, NDArray[Any]]
) -> None:
    """Write tables and arrays into one file, whole or not at all.

    Raises
    ------
    TableError
        If the file cannot be written.
    """
    path = Path(path)
    heads, content = {}, dict(arrays)
    for table_name, table in tables.items():
        columns = []
        for i, name in enumerate(table.colnames):
            column = table[name]
            data = np.ma.getdata(column)
            key = f"{table_name}/{i}"
            content[key] = data.astype(str) if data.dtype.kind == "O" else np.asarray(data)
            masked = isinstance(column, MaskedColumn)
            if masked:
                content[f"{key}/mask"] = np.ma.getmaskarray(column)
            unit = None if column.unit is None else str(column.unit)
            columns.append({"name": name, "unit": unit, "masked": masked})
        heads[table_name] = {"columns": columns, "meta": _plain(table.meta)}
    listed, blobs, place = {}, [], 0
    for name, array in content.items():
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        blob = little.reshape(-1).view(np.uint8).data if little.size else b""
        listed[name] = {
            "type": little.dtype.str, "shape": array.shape, "place": place, "crc": _crc(blob),
        }  # fmt: skip
        blobs.append(blob)
        place += _padded(len(blob))
    head = {"version": _VERSION, "size": place, "tables": heads, "arrays": listed}
    text = json.dumps(head).encode()
    start = _MAGIC + np.array([len(text), zlib.crc32(text)], "<u8").tobytes()
    try:
        if path.is_dir():  # before the work, not after it
            raise IsADirectoryError(21, "it is a folder")
        with whole_file(path) as file:
            for blob in (start + text, *blobs):
                file.write(blob)
                file.write(bytes(_padded(len(blob)) - len(blob)))
    except OSError as err:
        msg = f"{path} cannot be written: {err.strerror or err}"
        raise TableError(msg) from None


def load_index(
    path: str | PathLike[str], verify: bool = True
) -> tuple[dict[str, Table], dict[str, NDArray[Any]]]:
    """Map what `save_index` wrote; the arrays are read-only.

    Parameters
    ----------
    path : path
    verify : bool, optional
        Read every byte and compare checksums, not only the head's.

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If it is not an index, one of another version, or broken.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
            if start.startswith(b"PK") or start == b"":
                _refuse(path, "an index of an older version" if start else "empty")
            if start != _MAGIC:
                _refuse(path, "not a scan index")
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        msg = f"{path}: no such file"
        raise NotFoundError(msg) from None
    except OSError as err:
        msg = f"{path} cannot be read: {err.strerror or err}"
        raise TableError(msg) from None
    head, first = _head(path, data)
    try:
        arrays = {name: _array(data, first, said) for name, said in head["arrays"].items()}
        wrong = [
            name for name, array in arrays.items()
            if verify and _crc(_bytes(array)) != head["arrays"][name]["crc"]
        ]  # fmt: skip
        if wrong:
            _refuse(path, f"broken: the bytes of {wrong[0]} have changed")
        tables = dict(_tables(head["tables"], arrays))
    except TableError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError):
        _refuse(path, "a broken scan index")
    return tables, arrays


def _head(path: Path, data: mmap.mmap) -> tuple[dict[str, Any], int]:
    """Return the head and where the arrays start."""
    at = len(_MAGIC) + 16
    if len(data) < at:
        _refuse(path, "cut short")
    length, crc = np.frombuffer(data, "<u8", 2, len(_MAGIC)).tolist()
    text = data[at : at + length] if length <= len(data) else b""
    if len(text) != length or zlib.crc32(text) != crc:
        _refuse(path, "a broken scan index")
    head = json.loads(text)
    if head["version"] != _VERSION:
        _refuse(path, f"an index of version {head['version']}, not {_VERSION}")
    first = _padded(at + length)
    if len(data) != first + head["size"]:
        _refuse(path, f"cut short: {len(data)} bytes of {first + head['size']}")
    return head, first


def _array(data: mmap.mmap, first: int, said: dict[str, Any]) -> NDArray[Any]:
    kind, shape = np.dtype(said["type"]), tuple(said["shape"])
    if kind.hasobject:
        raise ValueError
    array = np.frombuffer(data, kind, math.prod(shape), first + said["place"])
    return array.reshape(shape)


def _tables(heads: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Iterator[tuple[str, Table]]:
    for table_name, head in heads.items():
        columns = []
        for i, column in enumerate(head["columns"]):
            key = f"{table_name}/{i}"
            made: Any = MaskedColumn if column["masked"] else Column
            options = {"mask": arrays.pop(f"{key}/mask")} if column["masked"] else {}
            columns.append(
                made(arrays.pop(key), column["name"], unit=column["unit"], copy=False, **options)
            )
        yield table_name, Table(columns, meta=head["meta"], copy=False)


def _refuse(path: Path, what: str) -> NoReturn:
    msg = f"{path} is {what}: build it again with ScanLocator.save or twomass-nb index build"
    raise TableError(msg)


def _padded(length: int) -> int:
    return -(-length // _ALIGN) * _ALIGN


def _bytes(array: NDArray[Any]) -> Any:
    return array.reshape(-1).view(np.uint8).data if array.size else b""


def _crc(data: Any) -> int:
    from isal import isal_zlib  # five times as fast as zlib's

    return isal_zlib.crc32(data)


def _plain(meta: Any) -> dict[str, Any]:
    """Metadata as far as JSON can hold it; what it cannot hold is turned into text."""
    return json.loads(json.dumps(dict(meta), default=str))
