"""All blocks of a plan, on the threads of this machine or on a Dask cluster: the same bits either way.

Blocks are handed on in their order, and no more are under way than a few for each worker, so that memory does not grow.
A block whose worker was lost is followed again by another.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pbpk.body.solve as solving
from pbpk.errors import InputError
from pbpk.predict.population.blocks import Block, Plan, follow_block
from pbpk.predict.population.people import BLOCK
from pbpk.predict.population.tally import NOTHING, Moments, Sparse, Tally

TOGETHER = 4  # blocks that a worker of a cluster sums before it sends them
AHEAD = 2  # tasks under way for each thread of a cluster
PATIENCE = 10  # until a scheduler must have answered [s]
RETRIES = 3  # of a task whose worker was lost

Take = Callable[[Block], None]
Progress = Callable[[int, int], None]


def gather(
    plan: Plan,
    take: Take | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
    scheduler: Any = None,
) -> tuple[Tally, Moments]:
    """Follow every block and sum them all.

    Parameters
    ----------
    take : called with each block, in order; progress : called with subjects done and all of them
    threads : of this machine, those of the solver where None
    scheduler : None for this machine, or a `distributed.Client` or the address of one's scheduler

    Raises
    ------
    InputError
        if nobody answers at the address of a scheduler
    ScenarioError, SolveError
        as `follow_block` does
    """
    total, moments = plan.tally(), NOTHING
    found = _here(plan, total, threads or solving.THREADS) if scheduler is None else _there(plan, total, scheduler)
    for block in found:
        moments = moments.with_more(block.moments)
        if take is not None:
            take(block)
        if progress is not None:
            progress(min((block.number + 1) * BLOCK, plan.size), plan.size)
    return total, moments


def _here(plan: Plan, total: Tally, threads: int) -> Iterator[Block]:
    """Blocks in order, each followed by one thread with a tally of its own."""
    own, tallies = threading.local(), [total]
    lock = threading.Lock()

    def follow(number: int) -> Block:
        if not hasattr(own, "tally"):
            with lock:
                own.tally = total.empty()
                tallies.append(own.tally)
        return follow_block(plan, number, own.tally)

    if min(threads, plan.blocks) < 2:
        for number in range(plan.blocks):
            yield follow_block(plan, number, total)
        return
    pool = ThreadPoolExecutor(threads)
    try:
        under_way = deque(pool.submit(follow, number) for number in range(min(threads + 1, plan.blocks)))
        for number in range(len(under_way), plan.blocks + len(under_way)):
            block = under_way.popleft().result()
            if number < plan.blocks:
                under_way.append(pool.submit(follow, number))
            yield block
    finally:
        pool.shutdown(cancel_futures=True)
    for each in tallies[1:]:
        total.take(each)


def follow_some(plan: Plan, numbers: range) -> tuple[list[Block], Sparse]:
    """Follow some blocks and sum their counts: one task of a cluster."""
    tally = plan.tally()
    return [follow_block(plan, number, tally) for number in numbers], tally.sparse()


def _there(plan: Plan, total: Tally, scheduler: Any) -> Iterator[Block]:
    """Blocks in order, from the workers of a cluster."""
    from distributed import Client

    if isinstance(scheduler, str):
        try:
            client = Client(scheduler, timeout=PATIENCE)
        except (OSError, ValueError) as problem:
            raise InputError(f"scheduler `{scheduler}`: nobody answers ({problem}); give the address that "
                             "`dask scheduler` prints, as tcp://10.0.0.1:8786.") from None  # fmt: skip
        with client:
            yield from _there(plan, total, client)
        return
    tasks = deque(range(at, min(at + TOGETHER, plan.blocks)) for at in range(0, plan.blocks, TOGETHER))
    most = AHEAD * max(1, sum(scheduler.nthreads().values()))
    under_way: deque[Any] = deque()

    def submit() -> None:
        numbers = tasks.popleft()
        under_way.append(scheduler.submit(follow_some, plan, numbers, pure=False, retries=RETRIES))

    try:
        while tasks or under_way:
            while tasks and len(under_way) < most:
                submit()
            blocks, counts = under_way[0].result()
            under_way.popleft()
            total.take(counts)
            yield from blocks
    finally:
        scheduler.cancel(list(under_way))
