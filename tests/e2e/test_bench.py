"""`make bench` of what a server adds runs."""

from tests.bench.test_runs import bench

CHOSEN = "--data nowhere --only 'copula served online' 'copula served to 16' 'served generation of 1,000 rows'"


def test_rows_of_a_server_are_measured():
    named = bench(f"{CHOSEN} --list").splitlines()
    listed = [name for name in named if not name.startswith(("make", ".venv"))]

    shown = bench(f"{CHOSEN} --quick --times 1 --markdown")

    assert len(listed) == 3
    assert [name for name in listed if f"| {name} |" in shown] == listed
