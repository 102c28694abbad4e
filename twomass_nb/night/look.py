"""The deep look into one file: every byte of it read, unpacked, decoded; and what it showed."""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from isal import isal_zlib

from ..errors import RawFileError, TwomassError
from ..raw.inflate import Content, is_gzip_name, read_content
from ..raw.layout import FRAME_BYTES
from ..raw.packing import says_simulated
from ..raw.wordorder.choose import choose
from .diagnosis import diagnose
from .finding import Finding, finding
from .pixels import frame_faults

__all__ = ["Record", "look_into"]


@dataclass
class Record:
    """What is known of one file.

    Attributes
    ----------
    file : str
        Path relative to what is checked.
    kind : str
    size, mtime_ns : int
        By which a file is known to be unchanged.
    sha256 : str
        Of the file as it is; empty where it was not read.
    frames : int or None
        Whole frames in it.
    layout, layout_source : str
        Word order, and how it is known.
    pixels : str
        Checksum (CRC-32) of its decoded frames: the same in an .rds and its .rdo.
    simulated : bool
    checked : bool
        Whether it was looked at.
    seconds : float
        How long the look took.
    findings : list of Finding
        What the file's own bytes show; nothing that a table could change.
    """

    file: str
    kind: str
    size: int
    mtime_ns: int
    sha256: str = ""
    frames: int | None = None
    layout: str = ""
    layout_source: str = ""
    pixels: str = ""
    simulated: bool = False
    checked: bool = True
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> Record:
        """Undo `as_dict`.

        Raises
        ------
        TypeError, KeyError
            If it is no record.
        """
        return cls(**{**said, "findings": [Finding(**one) for one in said["findings"]]})


def look_into(path: Path, record: Record) -> Record:
    """Fill in a record of a raw file by reading all of it; nothing is cached or written.

    Whatever is wrong with the file becomes a finding; nothing is raised.
    """
    began = time.monotonic()
    try:
        _look(path, record)
    except OSError as error:
        record.findings.append(finding("unreadable", record.file, error.strerror or str(error)))
    except Exception as error:  # one file never stops the others
        text = f"the check failed: {type(error).__name__}: {error}"
        record.findings.append(finding("failed", record.file, " ".join(text.split())))
    record.seconds = round(time.monotonic() - began, 3)
    return record


def _look(path: Path, record: Record) -> None:
    if not path.is_file():
        text = "it is no regular file, or a link to nothing"
        record.findings.append(finding("not-a-file", record.file, text))
        return
    if record.size == 0:
        record.findings.append(finding("empty", record.file, "it has no bytes"))
        return
    with path.open("rb") as file:
        # A pass of its own: the reader then finds the bytes in the system's memory, as a rule.
        record.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    record.simulated = says_simulated(path)
    try:
        content = read_content(path)
    except RawFileError as error:
        _note_refusal(path, record, error)
        return
    record.frames = content.n_frames
    if content.truncated:
        text = f"{diagnose(path).text}: {content.n_frames} frames' worth of bytes precede the cut"
        record.findings.append(finding("gzip-cut", record.file, text))
    if content.rubbish:
        text = f"{content.rubbish} bytes that are not gzip follow the end of its data"
        record.findings.append(finding("gzip-rubbish", record.file, text))
    _look_at_frames(path, record, content)


def _note_refusal(path: Path, record: Record, error: TwomassError) -> None:
    """Say what the reader's refusal comes from."""
    text = str(error).removeprefix(f"{path} ").partition(":")[0]
    code = "not-raw"
    if is_gzip_name(path):
        state = diagnose(path)
        if state.code != "whole":
            code, text = state.code, state.text
            record.frames = state.size // FRAME_BYTES or None
    record.findings.append(finding(code, record.file, text))


def _look_at_frames(path: Path, record: Record, content: Content) -> None:
    """Find the word order, and look at the frames as far as it is known."""
    try:
        choice = choose(path, content, None)
    except TwomassError as error:
        if (content.data == content.data[0]).all():
            text = f"all its bytes are {content.data[0]:#04x}"
            record.findings.append(finding("frames-constant", record.file, text, severity="error"))
        else:
            text = str(error).rpartition("; ")[0] or str(error)
            record.findings.append(finding("layout-unknown", record.file, text))
        return
    layout, record.layout_source = choice.layout, choice.source
    content = choice.content or content
    record.layout = str(layout)
    if content.truncated and not layout.frames_together:
        record.frames = 0
        return
    frames = layout.decode(content.data, content.n_frames)
    record.pixels = f"{isal_zlib.crc32(frames):08x}"
    record.findings += frame_faults(frames, record.file)
