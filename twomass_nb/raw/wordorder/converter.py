"""The archive's own converter, where a person has it, as ``zcat x.rds.gz | rds2rdo > x.rdo``."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import LayoutError
from ..inflate import Content
from .learn import MOST_FRAMES, learn_from, marked_simulated, seen
from .remember import FileSeen, Learnt

__all__ = ["convert_with", "converter", "learn_with"]

_SETTING = "TWOMASS_NB_RDS2RDO"
_TIMEOUT = 120.0  # seconds; a scan takes one or two
_PIECE = 1 << 20
_MOST_SAID = 2000  # bytes of what it complains that are looked at


def converter() -> Path | None:
    """Return the program that ``TWOMASS_NB_RDS2RDO`` names, or None if it names none.

    Raises
    ------
    LayoutError
        If it is not there, or cannot be run.
    """
    named = os.environ.get(_SETTING)
    if not named:
        return None
    program = Path(named).expanduser()
    if not program.is_file():
        msg = f"{_SETTING} names {program}, and there is no such file: correct or unset it"
        raise LayoutError(msg)
    if not os.access(program, os.X_OK):
        msg = f"{_SETTING} names {program}, which may not be executed: chmod +x it, or unset it"
        raise LayoutError(msg)
    return program.absolute()


def learn_with(program: Path, path: Path, content: Content) -> tuple[Learnt | None, Content]:
    """Convert a file's content, and learn its word order from the outcome.

    Parameters
    ----------
    program : path
    path : path
        The .rds file, for the evidence.
    content : Content
        Its whole content.

    Returns
    -------
    learnt : Learnt or None
        None if no order that we know explains what the program did, or the scan is too long.
    rdo : Content
        What it made.

    Raises
    ------
    LayoutError
        If the program fails.
    """
    out = convert_with(program, content.data, path.name)
    digest = hashlib.sha256(out.data).hexdigest()
    tool = seen(program)
    teacher = f"{tool.name} (the converter, {tool.size} bytes, SHA-256 {tool.sha256})"
    files = seen(path), FileSeen(f"output of {tool.name}", out.size, digest)
    rdo = Content(out)
    if content.n_frames > MOST_FRAMES:
        return None, rdo
    try:
        return learn_from(content, rdo, files, marked_simulated(path), teacher), rdo
    except LayoutError:
        return None, rdo


def convert_with(program: Path, data: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    """Hand bytes to the converter and return what it makes of them.

    Raises
    ------
    LayoutError
        If it cannot be started, fails, takes too long, or returns another number of bytes.
    """
    with tempfile.TemporaryFile() as complaints:
        try:
            process = subprocess.Popen(
                [str(program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,  # so that what it starts itself can be ended with it
            )
        except OSError as error:
            why = error.strerror or error
            msg = f"{program} ({_SETTING}) cannot be run: {why}; correct or unset it"
            raise LayoutError(msg) from error
        out = np.empty(data.size + 1, np.uint8)
        size = None
        try:
            size = _through(process, data, out)
        finally:
            if size is None or process.poll() is None:
                with suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        complaints.seek(0)
        said = " ".join(complaints.read(_MOST_SAID).decode(errors="replace").split())
    if size is None:
        what = f"did not finish within {_TIMEOUT:g} s"
    elif size > data.size:
        what = f"returned more than the {data.size} bytes it was given"
    elif process.returncode:
        what = f"ended with status {process.returncode}{f', saying {said!r}' if said else ''}"
    elif size < data.size:
        what = f"returned {size} bytes for {data.size}"
    else:
        return out[:size]
    msg = f"{program} ({_SETTING}) {what} on {name}: correct or unset it, or give layout="
    raise LayoutError(msg)


def _through(
    process: subprocess.Popen[bytes], data: NDArray[np.uint8], out: NDArray[np.uint8]
) -> int | None:
    """Write to a process and read from it at once; None if it takes too long.

    Returns
    -------
    int or None
        How many bytes came; reading stops when `out` is full, one more than is wanted.
    """
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None
    size = 0

    def write() -> None:
        with suppress(OSError, ValueError):  # it may stop reading; what it returns tells
            for at in range(0, data.size, _PIECE):
                stdin.write(np.ascontiguousarray(data[at : at + _PIECE]).data)
        with suppress(OSError, ValueError):
            stdin.close()

    def read() -> None:
        nonlocal size
        with suppress(OSError, ValueError):
            while size < out.size and (count := _read_into(stdout, out[size:])):
                size += count
            stdout.close()

    writer, reader = (threading.Thread(target=work, daemon=True) for work in (write, read))
    writer.start()
    reader.start()
    reader.join(_TIMEOUT)
    if reader.is_alive():
        return None
    if size < out.size:
        try:
            process.wait(_TIMEOUT)
        except subprocess.TimeoutExpired:
            return None
    return size


def _read_into(stream: Any, out: NDArray[np.uint8]) -> int:
    count: int = stream.readinto(out[:_PIECE].data) or 0
    return count
