"""The same bits from one thread, two, or a cluster whose workers die."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from pbpk.errors import InputError
from pbpk.predict.population.blocks import plan_of
from pbpk.predict.population.gather import gather
from pbpk.predict.population.people import BLOCK, parse_weight, people_of

HOURS = np.array([0.05, 1.0, 24.0])


@pytest.fixture(scope="module")
def plan(fitted, iv):
    return plan_of(fitted, people_of(fitted, weight=parse_weight("25,0.1")), iv, 4 * BLOCK + 100, HOURS)


@pytest.fixture(scope="module")
def here(plan):
    return gather(plan, threads=1)


def same(found, here):
    np.testing.assert_array_equal(found[0].counts, here[0].counts)
    np.testing.assert_array_equal(found[1].mean, here[1].mean)
    np.testing.assert_array_equal(found[1].squares, here[1].squares)
    assert found[1].count == here[1].count


def test_two_threads_give_the_bits_of_one(plan, here):
    numbers, told = [], []
    found = gather(plan, lambda block: numbers.append(block.number), lambda *done: told.append(done), threads=2)
    same(found, here)
    assert numbers == list(range(plan.blocks))
    assert told[-1] == (plan.size, plan.size)
    assert found[1].count == plan.size


def test_what_goes_wrong_in_a_thread_is_told(plan):
    def fails(block):
        raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        gather(plan, fails, threads=2)


@pytest.mark.filterwarnings("default")  # of dask's own sockets and loops as they close
def test_workers_give_the_same_bits(plan, here):
    from distributed import Client, LocalCluster

    given = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    numbers = []
    with LocalCluster(**given) as cluster, Client(cluster) as client:
        same(gather(plan, lambda block: numbers.append(block.number), scheduler=client), here)
    assert numbers == list(range(plan.blocks))


@pytest.mark.filterwarnings("default")
def test_a_killed_worker_changes_nothing(fitted, iv):
    from distributed import Client, LocalCluster

    plan = plan_of(fitted, people_of(fitted), iv, 16 * BLOCK, HOURS)
    given = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    killed = []
    with LocalCluster(**given) as cluster, Client(cluster) as client:

        def kill():
            while not any(client.processing().values()):  # until somebody works
                time.sleep(0.01)
            address = next(worker for worker, tasks in client.processing().items() if tasks)
            killed.append(client.run(os.getpid, workers=[address])[address])
            os.kill(killed[0], signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        found = gather(plan, scheduler=cluster.scheduler_address)
        thread.join()
    assert killed
    same(found, gather(plan, threads=2))


@pytest.mark.filterwarnings("default")
def test_a_scheduler_that_is_not_there_is_one_sentence(plan, monkeypatch):
    monkeypatch.setattr("pbpk.predict.population.gather.PATIENCE", 1)
    with pytest.raises(InputError, match=r"scheduler `tcp://127\.0\.0\.1:1`"):
        gather(plan, scheduler="tcp://127.0.0.1:1")
