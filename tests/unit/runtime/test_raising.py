"""What samplers and the processes of jobs raise: of ours all that a caller needs, of others' errors no text."""

import asyncio
import pickle
import traceback
from types import SimpleNamespace
from unittest.mock import MagicMock

import pyarrow as pa
import pytest

from synthgen_ray.domain.errors import JobError, Postponed, SynthGenError, Unexpected, WorkerLost, frames_of
from synthgen_ray.runtime import processes
from synthgen_ray.runtime.sampler import Sampler

CANARY = "a cell of a patient"


def a_failure(kind: type[Exception], *args: object) -> Exception:
    """With another behind it, and one that it stands in for."""
    try:
        try:
            raise KeyError(CANARY)
        except KeyError:
            raise ValueError(CANARY) from OSError(CANARY)
    except ValueError as error:
        failure = kind(*args)
        failure.__cause__ = error
        return failure


async def raised_by(method: str, failure: BaseException) -> BaseException:
    async def fail(*_asked: object) -> None:
        raise failure

    sampler = SimpleNamespace(_model=fail)
    with pytest.raises((Exception, asyncio.CancelledError)) as raised:
        await getattr(Sampler, method)(sampler, MagicMock(), 0, *([{}] if method == "draw" else []))
    return raised.value


@pytest.mark.parametrize("method", ["write_part", "draw"])
@pytest.mark.parametrize(
    ("given", "kind"), [(ValueError, Unexpected), (pa.ArrowInvalid, Unexpected), (MemoryError, MemoryError)]
)
async def test_of_others_errors_only_where_they_come_from(method, given, kind):
    raised = await raised_by(method, a_failure(given, CANARY))

    assert type(raised) is kind
    assert given.__name__ in str(raised)
    assert "test_raising.py" in str(raised)
    assert CANARY not in shown(raised)


@pytest.mark.parametrize("method", ["write_part", "draw"])
@pytest.mark.parametrize("kind", [JobError, WorkerLost, Postponed])
async def test_ours_arrive_as_they_are_with_nothing_behind_them(method, kind):
    raised = await raised_by(method, a_failure(kind, "a detail", "a_code"))

    assert (type(raised), raised.args[:2]) == (kind, ("a detail", "a_code"))
    assert not isinstance(raised, SynthGenError) or raised.code == "a_code"
    assert (raised.__cause__, raised.__context__) == (None, None)
    assert CANARY not in shown(raised)


async def test_so_does_publishing(monkeypatch):
    def fail(*_given: object) -> None:
        raise a_failure(ValueError, CANARY)

    monkeypatch.setattr("synthgen_ray.runtime.sampler.publish", fail)

    with pytest.raises(Unexpected) as raised:
        await Sampler.publish(SimpleNamespace(_artifacts=None), MagicMock(), [])

    assert CANARY not in shown(raised.value)
    assert frames_of(raised.value) == str(raised.value)  # what a log says of it


def test_so_does_the_process_of_a_job(monkeypatch):
    def fail() -> None:
        raise a_failure(ValueError, CANARY)

    monkeypatch.setattr(processes, "_node_id", lambda: "its node")
    said = processes._tell(fail)

    assert next(said) == "its node"
    with pytest.raises(Unexpected, match="ValueError") as raised:
        list(said)
    assert CANARY not in shown(raised.value)


async def test_who_cancels_is_heard():
    assert type(await raised_by("draw", asyncio.CancelledError())) is asyncio.CancelledError


def shown(error: BaseException) -> str:
    """In a log, and on the way to who called."""
    return "".join(traceback.format_exception(error)) + str(pickle.dumps(error))
