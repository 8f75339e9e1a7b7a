"""`make bench` of what a server adds runs."""

from tests.bench.test_runs import bench


def test_the_rows_of_a_server_are_measured():
    listed = [name for name in bench("--data nowhere --list --only served").splitlines() if "served" in name]

    shown = bench("--data nowhere --only served --quick --times 1 --markdown")

    assert len(listed) == 14
    assert [name for name in listed if f"| {name} |" in shown] == listed
