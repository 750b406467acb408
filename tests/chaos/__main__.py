"""``make chaos``: many seeded schedules over all eight exchanges, or one of them again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

import msgspec

from .plan import EXCHANGES, draw
from .verdict import try_seed


def tried(job: tuple[str, int]) -> tuple[str, int, list[str]]:
    """Play one schedule."""
    exchange, seed = job
    return exchange, seed, try_seed(exchange, seed)


def main() -> int:
    """Play the schedules; return the number of those that failed, at most 1."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000, help="schedules in all")
    parser.add_argument("--first", type=int, default=0, help="seed to begin with")
    parser.add_argument("--exchange", choices=EXCHANGES, help="of this exchange alone")
    parser.add_argument("--seed", type=int, help="this seed alone")
    given = parser.parse_args()
    exchanges = EXCHANGES if given.exchange is None else (given.exchange,)
    if given.seed is not None:
        jobs = [(exchange, given.seed) for exchange in exchanges]
        if given.exchange is not None:
            plan = msgspec.json.encode(draw(given.exchange, given.seed))
            print(msgspec.json.format(plan).decode())
    else:
        seeds = range(given.first, given.first + -(-given.runs // len(exchanges)))
        jobs = list(islice(((e, s) for s in seeds for e in exchanges), given.runs))
    return 1 if played(jobs) else 0


def played(jobs: list[tuple[str, int]]) -> int:
    """Play schedules on all cores, say how it goes; return how many failed."""
    began, said = time.monotonic(), 0.0
    failed: Counter[str] = Counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for done, (exchange, seed, wrong) in enumerate(pool.map(tried, jobs, chunksize=4), 1):
            if wrong:
                failed[exchange] += 1
                print(f"FAILED  make chaos EXCHANGE={exchange} SEED={seed}")
                print("\n".join(f"    {text}" for text in wrong), flush=True)
            now = time.monotonic() - began
            if now >= said + 10 or done == len(jobs):
                said = now
                print(
                    f"{done:,} of {len(jobs):,} schedules, {failed.total()} failed, {now:.0f} s",
                    flush=True,
                )
    return failed.total()


if __name__ == "__main__":
    sys.exit(main())
