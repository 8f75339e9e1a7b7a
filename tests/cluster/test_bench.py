"""`make bench` of what a server adds runs, here against the server that is there."""

from contextlib import ExitStack

import pytest

from tests.bench import reporting, serving
from tests.bench.rows import Bench
from tests.bench.tables import given_tasks

CHOSEN = (
    "Gaussian copula served online, 100 rows",
    "Gaussian copula served to 16 clients",
    "served generation of 1,000 rows, from POST to completed",
    "served report, 32,561 rows",
)


@pytest.mark.nightly
def test_rows_of_a_server_are_measured(server, client, dataset, tmp_path):
    rows = [row for row in serving.ROWS + reporting.ROWS if row.name in CHOSEN]
    with ExitStack() as held:
        bench = Bench(given_tasks(None, [], 500), None, tmp_path / "results", 1, True, (1,), held)
        bench.shared["shop"] = serving.Shop(server, client, dataset["project_id"], {}, tmp_path)

        figures = [row.measure(bench) for row in rows]

    assert len(figures) == 4
    assert all(figure.ours > 0 for figure in figures)
