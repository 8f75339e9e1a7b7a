"""`python -m synthgen_ray.batch`: rows by the billion, from a Ray job or on one machine."""

import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import typer
from pydantic import ValidationError

from synthgen_ray.artifacts import open_artifacts
from synthgen_ray.client import ClientError, SynthGen
from synthgen_ray.commands.arguments import SHARES_HELP, WHERE_HELP, parse_conditions, parse_shares
from synthgen_ray.commands.options import CsvSafe
from synthgen_ray.commands.server import Server, find_server
from synthgen_ray.commands.session import DataDirOption, Key, Url
from synthgen_ray.domain.errors import SynthGenError, WorkerLost, told
from synthgen_ray.domain.log_context import about
from synthgen_ray.domain.params import MAX_ROWS, DrawParams, GenerateParams, OutputFormat
from synthgen_ray.domain.validation import invalid_request
from synthgen_ray.jobs.batch import Manifest, OnRows, Order, Place, as_begun, begin, model_in
from synthgen_ray.runtime.data_dir import DataDir
from synthgen_ray.runtime.environment import prepare_environment
from synthgen_ray.runtime.logs import write_logs
from synthgen_ray.settings import LogFormat
from synthgen_ray.synthesizers.model_file import releases
from synthgen_ray.synthesizers.numerics.streams import fresh_seed

SAY_EVERY_S = 10.0
STORES = ("s3", "gs")
SCHEMES = ("file", *STORES)
NO_FOLDER = (
    f"The output is a folder, or a URL of {', '.join(SCHEMES)}, as s3://bucket/folder, in UTF-8."
    " In file:/// a # is written %23, and a ? %3F."
)
SECRETS = {"access_key", "secret_key", "session_token"}  # options that a URL of S3 has too
FILE_URL = re.compile(r"file:(///|/(?!/))[^?#]*[^?#/]/*")

app = typer.Typer(add_completion=False)


@app.command()
def batch(
    num_rows: Annotated[int, typer.Option(min=1, help="Rows to generate, without a maximum.")],
    output: Annotated[str, typer.Option(help="A folder, or its URL: file:///..., s3://..., gs://...")],
    model: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="An exported model.")] = None,
    model_id: Annotated[UUID | None, typer.Option(help="Or the id of a ready model of a server.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same rows.")] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="COLUMN=VALUE", help=WHERE_HELP)] = None,
    shares: Annotated[str | None, typer.Option(metavar="COLUMN=JSON", help=SHARES_HELP)] = None,
    format: Annotated[OutputFormat, typer.Option(help="Of the files.")] = OutputFormat.PARQUET,
    csv_safe: CsvSafe = False,
    rows_per_file: Annotated[int, typer.Option(min=1, help="About, in whole chunks of the model.")] = 1_000_000,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="By default one for each CPU of the cluster.")] = None,
    url: Url = None,
    key: Key = None,
    data_dir: DataDirOption = Path("data"),
    log_format: Annotated[
        LogFormat, typer.Option(envvar="SYNTHGEN_LOG_FORMAT", help="Of the lines of its logs.")
    ] = LogFormat.JSON,
) -> None:
    """Make a folder of files that hold the rows of a generation of that seed, the same ones on any number of nodes and
    workers. On the standard output: one JSON document. As a Ray job on the cluster of the server that has the model it
    is one of that server's jobs: REST shows how far it is, and cancels it. --data-dir, where that server keeps its
    address and its key, spares Ray's logs a key.

    Example: ray job submit -- python -m synthgen_ray.batch --model-id ID --num-rows 1000000000 --output s3://bucket/rows
    """
    if (model is None) == (model_id is None):
        raise typer.BadParameter("Give one of --model and --model-id.")
    if os.environ.get("RAY_ADDRESS", "").startswith("http"):
        raise typer.BadParameter("RAY_ADDRESS is a dashboard's, which `ray job submit` goes to: unset it to work here.")
    _check_folder(output)
    write_logs(log_format)
    with _told_why_not(), about(model_id=model_id):
        server = find_server(url, key, data_dir)
        content = model.read_bytes() if model else _exported(server, str(model_id))
        wishes = {"conditions": parse_conditions(where or []), "distribution": parse_shares(shares)}
        order = _order(content, num_rows, {"seed": seed, **wishes, "csv_safe": csv_safe}, format, rows_per_file)
        shown_as = (server.key, model_id) if server.key and model_id else None
        made = _made(content, order, output, resume, workers, log_format, shown_as, any_seed=seed is None)
    typer.echo(json.dumps(made))


def _check_folder(output: str) -> None:
    """Raises: typer.BadParameter."""
    try:
        output.encode()  # the job tells its name, and no answer holds another
        asked = urlsplit(output, allow_fragments=False)
    except ValueError:  # as of brackets that hold no address
        raise typer.BadParameter(NO_FOLDER) from None
    if asked.scheme in STORES:
        is_folder = bool(asked.netloc and asked.path.strip("/"))  # not a whole bucket
    elif asked.scheme == "file":
        is_folder = FILE_URL.fullmatch(output) is not None
    else:
        is_folder = bool(output and Path(output).absolute().name) and "://" not in output
    if not is_folder:
        raise typer.BadParameter(NO_FOLDER)
    if "@" in asked.netloc or (asked.scheme in STORES and SECRETS & parse_qs(asked.query).keys()):
        raise typer.BadParameter("The output's credentials come from the environment, not from its URL.")


@contextmanager
def _told_why_not() -> Iterator[None]:
    """Whatever a caller can act on is a line, and the exit code 1."""
    try:
        yield
    except (WorkerLost, MemoryError, SynthGenError, ClientError, OSError) as error:
        typer.echo(f"synthgen: {_reason(error)}", err=True)
        raise typer.Exit(1) from error


def _reason(error: Exception) -> str:
    match error:
        case WorkerLost():
            return "Workers were lost: --resume goes on with what is there."
        case MemoryError():
            return "Memory ran out: --resume goes on, and fewer --workers take less."
        case SynthGenError():
            return told(error)
        case _:
            return str(getattr(error, "detail", error))


def _exported(server: Server, model_id: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder, SynthGen(server.url, server.key) as client:
        return client.export_model(model_id, Path(folder) / "model.synthgen").read_bytes()


def _order(content: bytes, num_rows: int, asked: dict[str, Any], format: OutputFormat, rows_per_file: int) -> Order:
    """Raises: InvalidRequest and JobError, for what the model cannot do, and for a file that is no model."""
    try:
        # There may be more rows here than of a generation.
        params = GenerateParams.model_validate({**asked, "num_rows": min(num_rows, MAX_ROWS), "format": format.value})
    except ValidationError as error:
        raise invalid_request(error.errors()) from None
    model = model_in(content)
    model.sample(0, seed=0, conditions=params.conditions, distribution=params.distribution)  # are there such rows?
    before_last = (num_rows - 1) // model.chunk_rows
    model.sample_chunk(before_last, num_rows - before_last * model.chunk_rows, seed=0)  # and so many ids?
    return Order(
        model_sha256=hashlib.sha256(content).hexdigest(),
        chunk_rows=model.chunk_rows,
        num_rows=num_rows,
        seed=fresh_seed() if params.seed is None else params.seed,
        conditions=params.conditions,
        distribution=params.distribution,
        format=format,
        csv_safe=params.csv_safe,
        rows_per_file=rows_per_file,
        release=", ".join(map(" ".join, releases().items())),
    )


def _made(
    content: bytes,
    order: Order,
    output: str,
    resume: bool,
    workers: int | None,
    log_format: LogFormat,
    shown_as: tuple[str, UUID] | None,
    any_seed: bool,
) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="sg-") as folder:  # short: Ray's socket paths have little room
        place = _place(output, Path(folder))
        if resume:
            order = as_begun(place, order, any_seed=any_seed)
        if (manifest := begin(place, order, resume=resume)) is not None:
            return _told(output, manifest)
        own = None if "RAY_ADDRESS" in os.environ else Path(folder)
        if own:
            prepare_environment(DataDir(own), address=None)
        from synthgen_ray.runtime import batch  # Ray, which reads the environment as it is imported

        with batch.on_a_cluster(own), _shown(order, output, None if own else shown_as) as on_rows:
            return _told(output, batch.run(content, order, place, on_rows, log_format, workers))


@contextmanager
def _shown(order: Order, output: str, shown_as: tuple[str, UUID] | None) -> Iterator[OnRows]:
    """Who is told how many rows are there: whoever waits here, and the server whose cluster this is."""
    from synthgen_ray.runtime.registration import begin, shown

    say = _says(order.num_rows)
    config = {**order.model_dump(mode="json", exclude={"model_sha256", "chunk_rows", "release"}), "output": output}
    params = DrawParams(conditions=order.conditions, distribution=order.distribution)
    job = begin(*shown_as, params, config) if shown_as else None
    if job is None:
        yield say
        return
    typer.echo(f"Its job is {job.id}.", err=True)
    with shown(job, order.num_rows) as show:

        def on_rows(rows: int, made: int) -> None:
            say(rows, made)
            show(rows, made)

        yield on_rows


def _says(num_rows: int) -> OnRows:
    """How far it is, now and then and at the end: the log of a Ray job keeps each line."""
    last = float("-inf")

    def say(rows: int, _made: int) -> None:
        nonlocal last
        now = time.monotonic()
        if rows == num_rows or now - last >= SAY_EVERY_S:
            last = now
            typer.echo(f"{rows:,} of {num_rows:,} rows", err=True)

    return say


def _told(output: str, manifest: Manifest) -> dict[str, object]:
    order = manifest.order
    return {"output": output, "num_rows": order.num_rows, "seed": order.seed, "files": len(manifest.files)}


def _place(output: str, scratch: Path) -> Place:
    url = output if urlsplit(output).scheme in SCHEMES else Path(output).absolute().as_uri()
    address, mark, query = url.partition("?")
    root, _, folder = address.rstrip("/").rpartition("/")
    if address.startswith("file:"):
        root, folder = f"{root}/", unquote(folder)  # as `open_artifacts` does with the rest, which may be / alone
    return Place(open_artifacts(f"{root}{mark}{query}", scratch), folder)


if __name__ == "__main__":
    app(prog_name="python -m synthgen_ray.batch")
