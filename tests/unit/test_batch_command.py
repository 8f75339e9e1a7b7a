"""What the command for rows by the billion says when it cannot go on."""

import pytest
import typer

from synthgen_ray.batch import _told_why_not
from synthgen_ray.domain.errors import Conflict, WorkerLost


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (WorkerLost(), "synthgen: Workers were lost: --resume goes on with what is there.\n"),
        (Conflict("Rows were begun there.", "begun"), "synthgen: Rows were begun there.\n"),
        (TimeoutError("Ray did not start."), "synthgen: Ray did not start.\n"),
    ],
)
def test_whatever_can_be_acted_on_is_a_line_and_no_traceback(error, says, capsys):
    with pytest.raises(typer.Exit) as ended, _told_why_not():
        raise error

    assert (ended.value.exit_code, capsys.readouterr().err) == (1, says)
