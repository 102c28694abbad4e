"""The same is made by whoever does the work."""

from __future__ import annotations

import socket
import sys

import numpy as np
import pytest

from twomass_nb.coadd import Coadd
from twomass_nb.errors import TwomassError
from twomass_nb.reduce import reduce_scan, workers

SCAN = "000529s/k1186064.rdo.gz"


@pytest.fixture(scope="module")
def scheduler():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


def test_a_cluster_by_its_address(shared_disk, undisturbed, tmp_path, scheduler):
    done = reduce_scan(shared_disk / SCAN, tmp_path, frames=False, scheduler=scheduler)
    assert done.ok, done.failed
    assert len(done.made) == 6
    for path in undisturbed.folder.glob("s064/coadd/*.fits"):
        ours, other = (
            Coadd.open(one) for one in (tmp_path / "000529s/s064/coadd" / path.name, path)
        )
        # threads add numbers in another order: positions differ in their last digits
        np.testing.assert_allclose(ours.data, other.data, rtol=0, atol=2e-3)


def test_an_error_of_a_worker_is_told(disk, tmp_path, scheduler):
    (disk / SCAN).write_bytes(b"\x1f\x8b")
    done = reduce_scan(disk / SCAN, tmp_path, scheduler=scheduler)
    assert {one.task.kind for one in done.made} == {"calibrator"}
    assert "k1186064" in done.failed[0].error


def test_workers_of_our_own(shared_disk, tmp_path):
    done = reduce_scan(shared_disk / SCAN, tmp_path, frames=False, workers=2)
    assert done.ok, done.failed


def test_an_address_where_nobody_is(shared_disk, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "_PATIENCE", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(TwomassError, match=f"no Dask scheduler answers at {address}"):
            reduce_scan(shared_disk / SCAN, tmp_path, scheduler=address)
    with pytest.raises(TwomassError, match="'here' is no address of a Dask scheduler"):
        reduce_scan(shared_disk / SCAN, tmp_path, scheduler="here")


def test_without_dask_one_worker_does(monkeypatch, shared_disk, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert workers.cores() == 1
    with pytest.raises(TwomassError, match=r"pip install 'twomass_nb\[scale\]'"):
        reduce_scan(shared_disk / SCAN, tmp_path, workers=2)
    with pytest.raises(TwomassError, match="0 workers"):
        reduce_scan(shared_disk / SCAN, tmp_path, workers=0)
