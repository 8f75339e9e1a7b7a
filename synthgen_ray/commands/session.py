"""What all of the client's commands share: the options for the server, the output, and how they end."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from synthgen_ray.client import ClientError, SynthGen
from synthgen_ray.client.jobs import OnProgress
from synthgen_ray.commands.output import Output
from synthgen_ray.commands.server import find_server

P = ParamSpec("P")
INTERRUPTED = 130  # 128 and the number of the signal, as shells have it

Url = Annotated[
    str | None,
    typer.Option("--url", envvar="SYNTHGEN_URL", help="Address of the server.", rich_help_panel="Server"),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="SYNTHGEN_API_KEY",
        help="API key. Others on this machine can see it here, and not in the environment.",
        show_envvar=True,
        rich_help_panel="Server",
    ),
]
DataDirOption = Annotated[
    Path,
    typer.Option(
        "--data-dir",
        envvar="SYNTHGEN_DATA_DIR",
        help="Where 'synthgen up' leaves address and key, for when they are not given.",
        rich_help_panel="Server",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


@dataclass(frozen=True)
class Session:
    client: SynthGen
    output: Output


def command(function: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """A command that gets its session from options which are added to its own.

    It ends with 0 when done, 1 when refused and 130 at Ctrl-C; typer ends a misused one with 2.
    """

    @functools.wraps(function)
    def run(url: Url, key: Key, data_dir: DataDirOption, as_json: AsJson, **arguments: Any) -> None:
        output = Output(as_json)
        try:
            server = find_server(url, key, data_dir)
            with SynthGen(server.url, server.key) as client:
                function(Session(client, output), **arguments)  # type: ignore[call-arg]
        except BrokenPipeError:
            raise  # who reads the output has seen enough; typer ends quietly
        except (ClientError, OSError) as error:
            output.refuse(error)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            output.note("Interrupted.")
            raise typer.Exit(INTERRUPTED) from None

    _, *own = inspect.signature(function).parameters.values()
    run.__signature__ = inspect.Signature([*own, *_shared()])  # type: ignore[attr-defined]
    return run


@contextmanager
def waiting(output: Output, label: str, go_on: str) -> Iterator[OnProgress]:
    """Shows the job that is waited for. Ctrl-C ends the wait, not the job; `go_on` says what to do then."""
    try:
        with output.progress(label) as on_progress:
            yield on_progress
    except KeyboardInterrupt:
        output.note(f"The job goes on: {go_on}")
        raise typer.Exit(INTERRUPTED) from None


def _shared() -> list[inspect.Parameter]:
    options = {
        "url": (Url, None),
        "key": (Key, None),
        "data_dir": (DataDirOption, Path("data")),
        "as_json": (AsJson, False),
    }
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in options.items()
    ]
