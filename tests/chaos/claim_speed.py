"""How long a claim takes with many jobs that wait."""

import time
from pathlib import Path
from statistics import median

from sqlalchemy import select

from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.store.tables import utc_now
from synthgen_ray.store.turns import find_turns, first_of
from tests.chaos.bank import a_bank, fill


async def claims(folder: Path, count: int = 10_000, looks: int = 20) -> str:
    async with a_bank(folder) as bank:
        await fill(bank, count)
        searched, claimed = [], []
        for _ in range(looks):
            async with bank.store._sessions.reading() as session:
                begun = time.perf_counter()
                turns = await find_turns(session, list(JobType), utc_now())
                await session.scalar(select(first_of(turns[0], utc_now())))
                searched.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            await bank.store.claim_next(JobType)
            claimed.append(time.perf_counter() - begun)
    ms = (1000 * median(searched), 1000 * median(claimed))
    return f"with {count} jobs that wait the next is found in {ms[0]:.1f} ms, and claimed and read in {ms[1]:.1f} ms"
