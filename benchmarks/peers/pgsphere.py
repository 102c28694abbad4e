"""PostgreSQL with pgSphere as a peer: spherical polygons under a GiST index, joined with points."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from twomass_nb.array.track import lonlat
from twomass_nb.locate import ScanLocator


class Postgres:
    """A PostgreSQL of our own with pgSphere, in a temporary folder."""

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        on_path = shutil.which("initdb")
        binary = found[-1] if found else Path(on_path).resolve() if on_path else None
        if binary is None or shutil.which("psql") is None:
            msg = "PostgreSQL is not installed"
            raise FileNotFoundError(msg)
        self.bin = binary.parent
        # It refuses to run as root.
        self.become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        self.become = self.become if os.geteuid() == 0 else []

    def __enter__(self) -> Postgres:
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        if self.become:
            shutil.chown(self.folder, "postgres", "postgres")
        data = str(self.folder / "data")
        self.run(self.bin / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8")
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c work_mem=256MB"
        self.run(self.bin / "pg_ctl", "-D", data, "-o", options, "-w", "-l", f"{data}.log", "start")
        try:
            self.sql("create extension pg_sphere")
        except subprocess.CalledProcessError:
            self.__exit__()
            msg = "PostgreSQL has no pgSphere"
            raise FileNotFoundError(msg) from None
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.bin / "pg_ctl", "-D", str(self.folder / "data"), "-m", "fast", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words: object) -> None:
        """Run a program as a user that PostgreSQL accepts."""
        command = [*self.become, *map(str, words)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def sql(self, text: str, rows: str = "") -> str:
        """Return what a command prints; `rows` are for COPY."""
        command = ["psql", "-h", str(self.folder), "-U", "postgres", "-qAt"]
        command += ["-v", "ON_ERROR_STOP=1"]
        done = subprocess.run(
            [*command, "-c", text], input=rows, text=True, capture_output=True, check=True
        )
        return done.stdout.strip()

    def load(self, loc: ScanLocator, ra: np.ndarray, dec: np.ndarray) -> float:
        """Fill the tables; return the time that copying and indexing the scans took."""
        self.sql("drop table if exists scans, positions")
        self.sql("create table scans (id int, area spoly)")
        self.sql("create table positions (id int, place spoint)")
        corners = np.stack(lonlat(loc.footprints.corners), axis=-1).tolist()
        rows = "".join(
            f"{i}\t{{{','.join(f'({a:.10f}d,{d:.10f}d)' for a, d in four)}}}\n"
            for i, four in enumerate(corners)
        )
        start = time.perf_counter()
        self.sql("copy scans from stdin", rows)
        self.sql("create index on scans using gist (area)")
        self.sql("analyze scans")
        took = time.perf_counter() - start
        pairs = enumerate(zip(ra.tolist(), dec.tolist(), strict=True))
        rows = "".join(f"{i}\t({a:.12f}d,{d:.12f}d)\n" for i, (a, d) in pairs)
        self.sql("copy positions from stdin", rows)
        self.sql("analyze positions")
        return took

    def join(self, n: int) -> tuple[float, int]:
        """Time of the join of the first `n` positions with the scans, s, by the server's clock."""
        text = (
            "set enable_seqscan = off; set jit = off; explain (analyze, timing off) "
            f"select p.id, s.id from (select * from positions where id < {n} offset 0) p "
            "join scans s on s.area @> p.place"
        )
        plan = [self.sql(text) for _ in range(3)]
        if "Index Scan" not in plan[0]:
            msg = f"pgSphere did not use its index:\n{plan[0]}"
            raise RuntimeError(msg)
        times = [float(p.rsplit("Execution Time: ", 1)[1].split()[0]) for p in plan]
        rows = int(plan[0].splitlines()[0].split("rows=")[-1].split()[0])
        return min(times) / 1e3, rows
