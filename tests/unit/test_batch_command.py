"""What the command for rows by the billion says when it cannot go on."""

import json
import subprocess
import sys
from uuid import uuid4

import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from synthgen_ray import batch as command
from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.batch import _check_folder, _order, _place, _shown, _told_why_not, app
from synthgen_ray.domain.errors import Conflict, InvalidRequest, WorkerLost, artifacts_away
from synthgen_ray.domain.params import OutputFormat
from synthgen_ray.jobs.batch import Place, make_file, model_in
from synthgen_ray.settings import LogFormat
from synthgen_ray.synthesizers import GaussianCopula
from tests.servers import clean_environment


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> bytes:
    """A model of texts that a spreadsheet takes for formulas."""
    file = tmp_path_factory.mktemp("model") / "model.synthgen"
    GaussianCopula(seed=1).fit(pa.table({"said": ["=1+1", "plain"] * 50})).save(file)
    return file.read_bytes()


AWAY = artifacts_away()
AWAY.__cause__ = OSError(30, "Read-only file system")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (AWAY, f"synthgen: {AWAY.detail} ([Errno 30] Read-only file system)\n"),
        (WorkerLost(), "synthgen: Workers were lost: --resume goes on with what is there.\n"),
        (MemoryError(), "synthgen: Memory ran out: --resume goes on, and fewer --workers take less.\n"),
        (Conflict("Rows were begun there.", "begun"), "synthgen: Rows were begun there.\n"),
        (TimeoutError("Ray did not start."), "synthgen: Ray did not start.\n"),
        (FileExistsError(17, "File exists", "rows"), "synthgen: [Errno 17] File exists: 'rows'\n"),
    ],
)
def test_whatever_can_be_acted_on_is_a_line_and_no_traceback(error, says, capsys):
    with pytest.raises(typer.Exit) as ended, _told_why_not():
        raise error

    assert (ended.value.exit_code, capsys.readouterr().err) == (1, says)


@pytest.mark.parametrize(
    "output",
    [
        "",
        "s3a://bucket/rows",
        "https://example.com/rows",
        "az://container/rows",
        "s3://bucket",
        "gs://bucket/",
        "s3:///rows",
        "s3://bucket?region=eu-west-1",
        "s3://[bucket]/rows",
        "/",
        "file:///",
        "file:rows",
        "file://host/rows",
        "FILE:///rows",
        "file:///rows#1",
        "file:///what?/rows",
        "rows\udcff",  # a byte that is no UTF-8
    ],
)
def test_an_output_that_is_no_folder_makes_none_of_that_name(exported, tmp_path, monkeypatch, output):
    monkeypatch.chdir(tmp_path)
    model = tmp_path / "model.synthgen"
    model.write_bytes(exported)

    refused = CliRunner().invoke(app, ["--model", str(model), "--num-rows", "10", "--output", output])

    assert (refused.exit_code, "a URL of file, s3, gs" in refused.output) == (2, True)
    assert list(tmp_path.iterdir()) == [model]


@pytest.mark.parametrize("output", ["s3://AK:SK@bucket/rows", "s3://bucket/rows?region=x&access_key=AK&secret_key=SK"])
def test_credentials_in_a_url_that_the_job_would_show_are_refused(output):
    with pytest.raises(typer.BadParameter, match="credentials come from the environment"):
        _check_folder(output)


@pytest.mark.parametrize(
    "options", ["region", "regoin=eu-west-1&endpoint_override=localhost:1", "region=x&request_timeout=1"]
)
def test_options_that_no_url_has_are_a_line_and_no_traceback(exported, tmp_path, options):
    model = tmp_path / "model.synthgen"
    model.write_bytes(exported)

    refused = CliRunner().invoke(
        app, ["--model", str(model), "--num-rows", "10", "--output", f"s3://bucket/rows?{options}"]
    )

    assert (refused.exit_code, refused.stderr.startswith("synthgen: "), "options" in refused.stderr) == (1, True, True)


def test_the_address_of_a_dashboard_is_told_from_that_of_a_cluster_before_a_folder_is_begun(
    exported, tmp_path, monkeypatch
):
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")
    model = tmp_path / "model.synthgen"
    model.write_bytes(exported)

    refused = CliRunner().invoke(app, ["--model", str(model), "--num-rows", "10", "--output", str(tmp_path / "rows")])

    assert (refused.exit_code, "RAY_ADDRESS is a dashboard's" in refused.output) == (2, True)
    assert list(tmp_path.iterdir()) == [model]


@pytest.mark.parametrize("csv_safe", [False, True])
def test_what_a_spreadsheet_would_run_is_made_safe_where_that_is_asked_for(exported, tmp_path, csv_safe):
    order = _order(exported, 100, {"csv_safe": csv_safe}, OutputFormat.CSV, 1000)
    (name,) = order.files
    place = Place(DiskArtifacts(tmp_path), "rows")

    make_file(model_in(exported), order, name, place)

    assert set(place.read(name).decode().splitlines()[1:]) == {"'=1+1" if csv_safe else "=1+1", "plain"}


def test_a_condition_that_no_row_meets_is_refused_before_a_folder_is_begun(tmp_path):
    model = tmp_path / "model.synthgen"
    GaussianCopula(seed=1).fit(pa.table({"age": [float(age) for age in range(100)]})).save(model)

    refused = CliRunner().invoke(
        app, ["--model", str(model), "--num-rows", "10", "--where", "age=200..", "--output", str(tmp_path / "rows")]
    )

    assert (refused.exit_code, "the model generates no such value" in refused.output) == (1, True)
    assert list(tmp_path.iterdir()) == [model]


def test_more_rows_than_there_are_ids_are_refused_before_a_folder_is_begun(tmp_path):
    model = tmp_path / "model.synthgen"
    table = pa.table({"user_id": pa.array(range(100), pa.int8()), "age": [float(age) for age in range(100)]})
    GaussianCopula(seed=1).fit(table).save(model)

    refused = CliRunner().invoke(
        app, ["--model", str(model), "--num-rows", "3000000000", "--output", str(tmp_path / "rows")]
    )

    assert (refused.exit_code, "holds no further ids" in refused.output) == (1, True)
    assert list(tmp_path.iterdir()) == [model]


@pytest.mark.parametrize("form", [None, *LogFormat])
def test_what_it_logs_are_lines_of_the_form_that_is_asked_for_and_else_json(exported, s3, tmp_path, form):
    model, nowhere = tmp_path / "model.synthgen", s3.url(f"bucket-{uuid4()}/rows")
    model.write_bytes(exported)
    batch = [sys.executable, "-m", "synthgen_ray.batch", "--model", str(model), "--num-rows", "10", "--output", nowhere]
    environment = {**clean_environment(), **({"SYNTHGEN_LOG_FORMAT": form} if form else {})}

    done = subprocess.run(batch, env=environment, capture_output=True, text=True, timeout=120)

    (line, told) = done.stderr.splitlines()
    assert told.startswith("synthgen: ")
    if form is LogFormat.TEXT:
        assert " WARNING synthgen_ray.artifacts.object_store: the artifact store refused a request" in line
    else:
        assert "refused a request" in json.loads(line)["message"]


@pytest.mark.parametrize(("every_s", "said"), [(0.0, [1, 2, 3, 4, 5]), (3600.0, [1, 5])])
def test_how_far_it_is_is_said_now_and_then_and_at_the_end(exported, monkeypatch, capsys, every_s, said):
    monkeypatch.setattr(command, "SAY_EVERY_S", every_s)
    order = _order(exported, 5, {}, OutputFormat.PARQUET, 1)

    with _shown(order, "rows", None) as on_rows:
        for rows in range(1, 6):
            on_rows(rows, rows)

    assert capsys.readouterr().err.splitlines() == [f"{rows} of 5 rows" for rows in said]


def test_only_csv_is_made_safe(exported):
    with pytest.raises(InvalidRequest, match="csv"):
        _order(exported, 100, {"csv_safe": True}, OutputFormat.PARQUET, 1000)


@pytest.mark.parametrize("name", ["my rows", "100%", "a%20b", "rows#1", "Grüße", "what?"])
@pytest.mark.parametrize("as_url", [False, True])
def test_files_go_to_the_folder_that_was_named_whatever_letters_it_has(tmp_path, name, as_url):
    folder = tmp_path / name / name
    output = folder.as_uri() if as_url else str(folder)
    _check_folder(output)

    _place(output, tmp_path).write("rows", b"1")

    assert (folder / "rows").read_bytes() == b"1"
    assert [found.name for found in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("output", ["/rows", "file:///rows", "file:/rows"])
def test_a_folder_beside_those_of_the_system_is_not_one_of_here(tmp_path, output):
    place = _place(output, tmp_path)

    assert place.artifacts.uri(place.location) == "/rows"


@pytest.mark.parametrize("output", ["rows", ".", "..", "//rows", "?rows", "a@b", "file:/rows/", "S3://bucket/rows"])
def test_a_folder_is_taken_however_it_is_written(output):
    _check_folder(output)


@pytest.mark.parametrize("name", ["my rows", "a%20b", "rows#1"])
def test_an_object_stores_folder_is_taken_as_it_is_named(s3, bucket, tmp_path, name):
    _place(s3.url(f"{bucket}/{name}/{name}"), tmp_path).write("rows", b"1")

    assert s3.files(bucket) == {f"{name}/{name}/rows"}
