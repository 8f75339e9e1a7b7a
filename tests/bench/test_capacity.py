"""The simulated cluster of `cluster/CAPACITY.md` runs, on a real dispatcher and a real PostgreSQL."""

from tests.bench.capacity import measured


async def test_made_up_nodes_do_all_their_jobs(tmp_path, postgres):
    figures = await measured(tmp_path, postgres.url(postgres.new_database()), nodes=3, seconds=0.1)

    assert figures.jobs_per_second > 0
    assert min(figures.python_ms, figures.postgres_ms, figures.list_p99_ms) > 0
