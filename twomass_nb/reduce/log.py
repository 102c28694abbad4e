"""What a reduction says of itself as it goes: lines of text with the time, kept in a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from .tasks import Record

__all__ = ["Log"]

_MOST = 200  # characters of a figure that is a text or a list
_LINES = 5  # of what was left out


class Log:
    """Adds lines to a file; each is in the system's hands at once."""

    def __init__(self, path: Path, simulated: bool) -> None:
        new = not path.exists()
        self._file = path.open("a", encoding="utf-8")
        if new and simulated:
            self._file.write("SIMULATED: no telescope has seen what is reduced here\n")

    def say(self, text: str) -> None:
        """Add a line."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._file.write(f"{now} {' '.join(text.split())}\n")
        self._file.flush()

    def tell(self, record: Record) -> None:
        """Say what became of a piece of work."""
        name = str(record.task)
        for warning in record.warnings:
            self.say(f"{name}: warning: {warning}")
        if record.error:
            self.say(f"{name}: FAILED: {record.error}")
            return
        lists = {key: value for key, value in record.figures.items() if isinstance(value, list)}
        for line in lists.pop("reasons", ()):
            self.say(f"{name}: {line}")
        left_out = lists.pop("left_out", [])
        for line in left_out[:_LINES]:
            self.say(f"{name}: left out: {line}")
        if len(left_out) > _LINES:
            self.say(f"{name}: left out: {len(left_out) - _LINES} more, see quality.json")
        said = [
            f"{key} {_short(value)}"
            for key, value in record.figures.items()
            if key in lists or not isinstance(value, list)
        ]
        self.say(f"{name}: made in {record.seconds:.1f} s: {'; '.join(said)}")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " ".join(_short(one) for one in value)[:_MOST]
    return str(value)[:_MOST]
