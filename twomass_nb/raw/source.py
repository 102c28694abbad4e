"""Where the frames of one raw file come from: the file itself, memory, or those kept decoded."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock, Thread

import numpy as np
from numpy.typing import NDArray

from ..errors import RawFileError
from . import decoded
from .beside import kind_of
from .inflate import Content, digest_of, frames_promised, is_gzip_name, read_content
from .layout import AXES, FRAME_BYTES, Layout
from .screening import check_before_reading
from .slabs import decode_file
from .wordorder.choose import choose

__all__ = ["FrameSource", "Shape"]

Frames = NDArray[np.uint16]
_NATIVE = Layout(AXES, high_first=sys.byteorder == "big")
_NOTHING = Content(np.empty(0, np.uint8))


@dataclass(frozen=True)
class Shape:
    """How many frames a file has, and what is wrong with its end.

    Attributes
    ----------
    n_frames : int
    truncated : bool
        Whether it is cut; these frames are before the cut.
    rubbish : int
        Bytes after the end of its gzip data.
    """

    n_frames: int
    truncated: bool = False
    rubbish: int = 0


class FrameSource:
    """The frames of one raw file, read when asked for; any number of threads may ask.

    Parameters
    ----------
    path : Path
    given : Layout or None
        Word order, if the caller knows it.
    cache : bool
        Whether decoded frames are kept: in memory until they are in the cache folder, then there.
    """

    def __init__(self, path: Path, given: Layout | None, cache: bool) -> None:
        self.path, self.given, self.cache = path, given, cache
        self.kind = kind_of(path)
        self.chosen: tuple[Layout, str] | None = None
        self.shape: Shape | None = None
        self.converted = False  # whether the archive's converter was needed, not only an order
        self._seen: decoded.Identity | None = None  # the file as it was when first read,
        self._digest = ""  # and what it held
        # Of these at most one is at hand, but a map of the file stays.
        self._content: Content | None = None
        self._frames: Frames | None = None
        self._stored: decoded.Stored | None = None
        self._storing: tuple[Thread, list[str]] | None = None  # and the hash, once it is known
        self._lock = RLock()

    @property
    def must_be_read(self) -> bool:
        """Whether only its whole content can tell how, and if, the file can be opened."""
        order_unknown = self.kind == "rds" and self.given is None
        return order_unknown or not frames_promised(self.path)

    def look(self) -> tuple[Shape, tuple[Layout, str]]:
        """Return the shape of the file, its word order, and how that is known.

        Raises
        ------
        RawFileError, LayoutError
            If there is something wrong.
        """
        with self._lock:
            if self.shape is None or self.chosen is None:
                self._read(decode=self.cache)
            assert self.shape is not None
            assert self.chosen is not None
            return self.shape, self.chosen

    def frames(self) -> Frames:
        """Return all frames, shape (n_frames, 2, 256, 256); read-only."""
        with self._lock:
            self._settle()
            if self._frames is None and self._stored is not None:
                self._frames = self._stored.frames()
                self._stored = None
            if self._frames is None and self._content is None:
                read = self._read(decode=True)
                if read is not None:
                    return read
                return self.frames()
            if self._frames is None:
                return self._decoded()
            if isinstance(self._frames, np.memmap):
                self._check_map()
            return self._frames

    def frame(self, i: int) -> Frames:
        """Return frame `i`, which must be there, shape (2, 256, 256); read-only."""
        with self._lock:
            layout = self.look()[1][0]
            self._settle()
            if self._stored is not None:
                if (stored := self._stored.frame(i)) is not None:
                    return stored
                self._stored = None
            if self._frames is None and self._content is None:
                self._read(decode=self.cache)
            content = self._content
            if self._frames is None and content is not None and self._one_at_a_time(layout):
                if isinstance(content.data, np.memmap):
                    self._check_map()
                frame = layout.decode_frame(content.data, content.n_frames, i)
                frame.flags.writeable = False
                return frame
            return self.frames()[i]

    def _one_at_a_time(self, layout: Layout) -> bool:
        """Whether frames are decoded when asked for: nothing is kept, or each is a short read."""
        return not self.cache or not self._worth_storing(layout)

    def _worth_storing(self, layout: Layout) -> bool:
        together = layout.frames_together and "f" not in layout.difference
        return is_gzip_name(self.path) or not together

    # From the file ----------------------------------------------------------------------

    def _read(self, decode: bool) -> Frames | None:
        """Read the file, or find that it was read before; set one of the three ways to frames.

        With `decode`, frames are decoded at once where the order is known; without a cache
        they are only returned.
        """
        self._check_unchanged()
        known = decoded.recall(self.path, self.kind) if self.cache else None
        if self.chosen is None and self.given is not None:
            choice = choose(self.path, _NOTHING, self.given)
            self.chosen = choice.layout, choice.source
        chosen = None if self.converted else self.chosen
        if known:
            self._check_content(known[0])
            chosen = chosen or known[1]
            if chosen and self._find(known[0], chosen):
                return None
        start, n = time.time_ns(), frames_promised(self.path)
        if chosen and n and decode and self._worth_storing(chosen[0]):
            # Hashing can wait for the thread that stores, unless a change might not show.
            later = not self._digest and decoded.settled(self.seen(), start)
            read = decode_file(self.path, chosen[0], n, hashed=self.cache and not later)
            self._check_unchanged()
            if read is not None:
                frames, digest = read
                self._check_content(digest or self._digest)
                frames.flags.writeable = False
                self.chosen, self.shape = chosen, Shape(n)
                if digest:
                    self._note(start, digest, None)
                if self.cache:
                    self._keep(frames, digest, start)
                return frames
        self._read_content(start)
        return None

    def _read_content(self, start: int) -> None:
        basis = decoded.basis(self.path)
        content = read_content(self.path, hashed=self.cache and is_gzip_name(self.path))
        choice = choose(self.path, content, self.given)
        self._check_unchanged()
        layout, digest = choice.layout, content.digest
        self.converted = choice.content is not None
        content = choice.content or content
        n = content.n_frames
        if content.truncated or content.rubbish:
            n = self._frames_before_the_end(content, layout)
        self.chosen = layout, choice.source
        self.shape = Shape(n, content.truncated, content.rubbish)
        if self.converted:
            digest = ""  # so that it is not stored as if it were of this word order
        elif self.cache and self._worth_storing(layout):
            digest = digest or digest_of(self.path)
            self._check_content(digest)
            self._note(start, digest, None if self.given else (*self.chosen, basis))
            if self._find(digest, self.chosen):
                return
        self._content = replace(content, data=content.data[: n * FRAME_BYTES], digest=digest)

    def _frames_before_the_end(self, content: Content, layout: Layout) -> int:
        """Return how many frames are certain of a file whose end is wrong."""
        n = layout.whole_frames(content.n_frames)
        if n:
            return n
        if content.truncated:
            msg = (
                f"{self.path.name} is cut off, and in the word order {layout} a cut leaves no "
                "frame whole: fetch it again"
            )
        else:
            msg = (
                f"{self.path.name} has {content.rubbish} bytes of rubbish after its end, and in "
                f"the word order {layout} no frame is certain if these hide a part of it: fetch it "
                "again, or cut them off"
            )
        raise RawFileError(msg)

    def _decoded(self) -> Frames:
        """Return the frames of the content at hand, and keep them rather than it."""
        content, layout = self._content, self.look()[1][0]
        assert content is not None
        mapped = isinstance(content.data, np.memmap)
        if mapped:
            self._check_map()
        if mapped and layout == _NATIVE:
            frames: Frames = content.data.view(np.uint16).reshape(-1, 2, 256, 256)
        else:
            frames = layout.decode(content.data, content.n_frames)
            if mapped:
                self._check_map()
        frames.flags.writeable = False
        if self.cache:
            self._content = None
            self._keep(frames, content.digest)
        return frames

    # What is kept -----------------------------------------------------------------------

    def _keep(self, frames: Frames, digest: str, start: int | None = None) -> None:
        """Keep frames in memory, and begin to store them if there is a hash to name them by.

        With `start`, the time (ns) when reading began, the hash may be found when they are stored.
        """
        self._frames = frames
        if not digest and start is None:
            return
        path, kind, seen = self.path, self.kind, self.seen()
        shape, (layout, _) = self.look()
        known = [digest] if digest else []

        def whose() -> decoded.Whose | None:
            if not known:
                found = digest_of(path)
                if start is None or decoded.identity(path) != seen:
                    return None  # it is another by now
                decoded.remember(seen, kind, start, found, None)
                known.append(found)
            return decoded.Whose(
                known[0], kind, str(layout), shape.n_frames, shape.truncated, shape.rubbish
            )

        thread = decoded.store_behind(whose, frames)
        self._storing = (thread, known) if thread else None

    def _settle(self) -> None:
        """Once frames are stored, take them from there rather than from memory."""
        if self._storing and not self._storing[0].is_alive():
            (_, known), self._storing = self._storing, None
            if known:
                self._check_content(known[0])
                if self._find(known[0], self.look()[1]):
                    self._frames = None

    def _find(self, digest: str, chosen: tuple[Layout, str]) -> bool:
        """Look for stored frames of a content read in an order, and take them if they are there."""
        stored = decoded.find(digest, self.kind, chosen[0])
        if stored is None:
            return False
        whose = stored.whose
        self._stored, self.chosen = stored, chosen
        self.shape = Shape(whose.n_frames, whose.truncated, whose.rubbish)
        return True

    def _note(self, start: int, digest: str, chosen: tuple[Layout, str, str] | None) -> None:
        """Remember the content of the file, and its order if it would be chosen again."""
        if chosen and (chosen[1].startswith("that of") or "; not " in chosen[1]):
            chosen = None  # it rests on other files, or is in doubt
        assert self._seen is not None
        decoded.remember(self._seen, self.kind, start, digest, chosen)

    # Changes of the file ----------------------------------------------------------------

    def seen(self) -> decoded.Identity:
        """Return what tells the file from others; an error if it is not what it was."""
        self._check_unchanged()
        assert self._seen is not None
        return self._seen

    def _check_unchanged(self) -> None:
        """Raise `RawFileError` if the file is not what it was when first read."""
        check_before_reading(self.path)
        now = decoded.identity(self.path)
        if self._seen not in (None, now):
            raise RawFileError(self._changed())
        self._seen = now

    def _check_content(self, digest: str) -> None:
        """Raise `RawFileError` if a file that looks the same holds something else than before."""
        if self._digest not in ("", digest):
            raise RawFileError(self._changed())
        self._digest = digest

    def _check_map(self) -> None:
        """Raise `RawFileError` if the mapped file was changed; reading one that shrank would crash.

        One that was removed or replaced stays as it was for those who have it mapped.
        """
        try:
            now = decoded.identity(self.path)
        except OSError:
            return
        seen = self._seen
        if seen is not None and now[:2] == seen[:2] and now[2:4] != seen[2:4]:
            raise RawFileError(self._changed())

    def _changed(self) -> str:
        return f"{self.path.name} has changed since it was opened: open it again"
