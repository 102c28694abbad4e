"""Where pieces of work are done: here, one after the other, or by Dask's workers."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol

from .. import __version__
from ..errors import TwomassError
from .steps import carry_out
from .tasks import Record, Task

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Workers", "cores", "workers_of"]

#: Memory of a local worker; it is ended, and its work begun anew, if it takes more. One that
#: makes images takes a third of it.
_MEMORY = "2GiB"
#: Of a local worker: one thread to add numbers up. Dask would also have memory given back at once
#: (MALLOC_TRIM_THRESHOLD_), which makes images take twice as long.
_ENVIRONMENT = {f"{name}_NUM_THREADS": 1 for name in ("OMP", "MKL", "OPENBLAS")}
_PATIENCE = 10  # seconds a scheduler may take to answer
_ENDING = 0.5  # seconds that workers have to end by themselves


def cores() -> int:
    """Return how many workers this machine has a core for; 1 if Dask is not installed."""
    try:
        import distributed  # noqa: F401
        from dask.system import CPU_COUNT
    except ImportError:
        return 1
    return int(CPU_COUNT)


class Workers(Protocol):
    """Takes tasks, gives records."""

    #: Tasks under way at the same time.
    at_once: int

    def begin(self, task: Task) -> None:
        """Take a task."""

    def finished(self) -> Record:
        """Wait until one of the tasks taken is done, and return its record."""


class _Here:
    """The process we are in."""

    at_once = 1

    def __init__(self) -> None:
        self._tasks: deque[Task] = deque()

    def begin(self, task: Task) -> None:
        self._tasks.append(task)

    def finished(self) -> Record:
        return carry_out(self._tasks.popleft())


class _OnDask:
    """The workers of a Dask cluster."""

    def __init__(self, client: Client) -> None:
        from distributed import as_completed

        self._client = client
        self._under_way = as_completed(loop=client.loop)
        self._tasks: dict[Any, Task] = {}
        # one waits at each worker while another is done
        self.at_once = 2 * max(1, sum(client.nthreads().values()))

    def begin(self, task: Task) -> None:
        future = self._client.submit(carry_out, task, pure=False)
        self._tasks[future.key] = task
        self._under_way.add(future)

    def finished(self) -> Record:
        future = next(self._under_way)
        task = self._tasks.pop(future.key)
        try:
            record: Record = future.result()
            return record
        except Exception as error:  # the worker died, or the cluster did
            if self._client.status != "running" or future.cancelled():
                msg = "the Dask scheduler is gone: run this again, what is finished is kept"
                raise TwomassError(msg) from error
            text = f"its worker was lost ({type(error).__name__})"
            return Record(task.name, task.key, error=text)


@contextmanager
def workers_of(workers: int, scheduler: str | None, folder: Path) -> Iterator[Workers]:
    """Start what does the work, and end it.

    Parameters
    ----------
    workers : int
        1: this process; more: so many on this machine.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers do the work instead.
    folder : path
        Where products go: all workers must see it.

    Raises
    ------
    TwomassError
        If Dask is not installed, the scheduler does not answer, or its workers do not fit.
    """
    if workers == 1 and scheduler is None:
        yield _Here()
        return
    try:
        import distributed
    except ImportError:
        msg = "more than one worker needs Dask: pip install 'twomass_nb[scale]', or use one worker"
        raise TwomassError(msg) from None
    if scheduler is None:
        with _local(distributed, workers) as client:
            yield _OnDask(client)
        return
    try:
        distributed.comm.get_address_host_port(scheduler, strict=True)
    except ValueError as error:  # a client would be left half-made, and complain at its end
        msg = f"{scheduler!r} is no address of a Dask scheduler: write it as tcp://10.0.0.1:8786"
        raise TwomassError(msg) from error
    try:
        client = distributed.Client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        msg = f"no Dask scheduler answers at {scheduler}: start one, or leave the address out"
        raise TwomassError(msg) from error
    with client:
        _require_alike(client, scheduler, folder)
        yield _OnDask(client)


@contextmanager
def _local(distributed: Any, workers: int) -> Iterator[Client]:
    """Start processes on this machine: the drizzle library holds the interpreter's lock."""
    import dask

    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": _ENVIRONMENT}),
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, memory_limit=_MEMORY,
            dashboard_address="127.0.0.1:0", scheduler_kwargs={"dashboard": False},
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):  # fmt: skip
        client.run(_be_quiet)
        try:
            yield client
        except BaseException:
            cluster.sync(_end_at_once, cluster.workers.values())
            raise


def _be_quiet() -> None:
    """Leave Ctrl-C, which a terminal sends to all its processes, to the one that began the work."""
    from tqdm import tqdm

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tqdm.set_lock(RLock())  # its own is known to the system, which complains when we end at once


async def _end_at_once(nannies: Iterable[Any]) -> None:
    """End local workers in the middle of what they are at, which may take long."""
    await asyncio.gather(*(nanny.kill(timeout=_ENDING) for nanny in nannies))


def _require_alike(client: Client, scheduler: str, folder: Path) -> None:
    """Refuse workers that do not see the folder, or have another version of this software."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        msg = f"the Dask scheduler at {scheduler} has no workers: start some"
        raise TwomassError(msg) from error
    for worker, (version, seen) in client.run(_hello, str(folder)).items():
        if version != __version__:
            msg = f"Dask's worker {worker} has twomass_nb {version}: install {__version__}, as here"
            raise TwomassError(msg)
        if not seen:
            msg = f"Dask's worker {worker} does not see {folder}: all machines need the same paths"
            raise TwomassError(msg)


def _hello(folder: str) -> tuple[str, bool]:
    return __version__, Path(folder).is_dir()
