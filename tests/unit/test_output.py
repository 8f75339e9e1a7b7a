import pytest
from rich.console import Console

from synthgen_ray.client import ApiError
from synthgen_ray.commands import output, progress
from synthgen_ray.commands.output import Output

MODEL = {"id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "name": "[red]Bank", "status": "ready", "created_at": "x" * 20}


@pytest.mark.parametrize(
    ("width", "shown"),
    [(80, ["id", "name", "status", "created_at"]), (60, ["id", "name", "status"]), (20, ["id", "name"])],
)
def test_a_narrow_terminal_shows_fewer_columns(width, shown):
    assert output._fitting([MODEL], list(MODEL), width) == shown


def test_an_empty_list_has_its_header():
    assert output._fitting([], ["id", "name"], 80) == ["id", "name"]


def test_a_name_is_no_markup():
    console = Console(width=100)

    with console.capture() as printed:
        console.print(output._table([MODEL], ["id", "name"]))

    assert "[red]Bank" in printed.get()


def test_a_columns_name_is_no_markup():
    console = Console(width=100)

    with console.capture() as printed:
        console.print(output._table([{"speed [km/h]": 1, "price [/unit]": 2}], ["speed [km/h]", "price [/unit]"]))

    assert printed.get().splitlines()[0].split("  ")[:2] == ["speed [km/h]", "price [/unit]"]


@pytest.mark.parametrize(
    ("width", "note"), [("60", "3 of 4 columns fit here; see --json.\n"), ("80", "")], ids=["narrow", "wide"]
)
def test_a_terminal_that_is_too_narrow_says_what_it_leaves_out(capsys, monkeypatch, width, note):
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    Output().table({}, [MODEL], list(MODEL))

    assert capsys.readouterr().err == note


def test_what_a_terminal_would_obey_is_shown_instead(capsys):
    hostile = "a\x1b]0;title\x07\u202eb\nc\x9bd"
    seen = r"a\x1b]0;title\x07\u202eb\nc\x9bd"
    output = Output()

    output.fields({}, {"description": hostile})
    output.table({}, [{"name": hostile}], ["name"])
    output.table({}, [], [hostile])
    output.say({}, f"Deleted '{hostile}'.")
    output.refuse(ApiError(404, hostile))
    with output.progress(hostile) as show:
        show({"status": "running", "progress": 0.5, "message": ""})

    printed = capsys.readouterr()
    in_lines = seen.replace(r"\n", "\n")
    assert printed.out == f"description  {seen}\nname\n{seen}\n{seen}\nDeleted '{in_lines}'.\n"
    assert printed.err == f"synthgen: {in_lines}\n{seen}: running 50%\n"


@pytest.mark.parametrize(
    ("field", "detail"),
    [
        ("conditions.origin", "conditions.origin: The model knows no such value."),
        ("", "The model knows no such value."),
    ],
)
def test_a_fault_that_the_refusal_names_already_is_said_once(capsys, field, detail):
    fault = {"field": field, "message": "The model knows no such value."}

    Output().refuse(ApiError(422, detail, errors=[fault]))

    assert capsys.readouterr().err == f"synthgen: {detail}\n"


def test_a_log_gets_a_line_for_each_quarter_of_the_way():
    lines: list[str] = []
    show = progress._Lines("training", lines.append)

    show({"status": "pending", "progress": 0.0, "message": "waiting for a store that is away"})
    for percent in range(0, 101, 5):
        show({"status": "running", "progress": percent / 100, "message": ""})
    show({"status": "completed", "progress": 1.0, "message": ""})

    assert lines == [
        "training: waiting for a store that is away 0%",
        "training: running 0%",
        "training: running 25%",
        "training: running 50%",
        "training: running 75%",
        "training: running 100%",
        "training: completed 100%",
    ]
