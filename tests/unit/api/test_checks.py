"""How the parts of a server are looked at."""

import asyncio
from contextvars import ContextVar

import pytest

from synthgen_ray.api import checks as checking
from synthgen_ray.api.checks import Checks, Component, Health
from synthgen_ray.domain.errors import Unavailable


async def works() -> None: ...


async def is_away() -> None:
    raise Unavailable("The dispatcher does not answer.", "dispatcher_unavailable")


async def breaks_down() -> None:
    raise ZeroDivisionError("secret")


async def test_all_parts_are_looked_at_also_when_one_is_away_or_breaks_down():
    checks = Checks({Component.STORE: breaks_down, Component.ARTIFACTS: works, Component.DISPATCHER: is_away})

    findings = await checks.look()

    assert list(findings) == list(Component)
    assert findings[Component.ARTIFACTS] == Health(Component.ARTIFACTS, True)
    assert findings[Component.DISPATCHER].code == "dispatcher_unavailable"
    assert findings[Component.STORE].code == "store_unavailable"
    assert "secret" not in str(findings)


async def test_a_part_that_is_silent_is_asked_once_until_it_speaks():
    asked, speaks = [], asyncio.Event()

    async def is_silent() -> None:
        asked.append(1)
        await speaks.wait()

    checks = Checks({Component.STORE: works, Component.ARTIFACTS: is_silent}, patience_s=0.01)
    silent = [await checks.look() for _ in range(3)]
    speaks.set()
    while not (spoken := await checks.look())[Component.ARTIFACTS].ok:
        assert len(asked) == 1

    assert [look[Component.ARTIFACTS].code for look in silent] == ["artifacts_unavailable"] * 3
    assert all(look[Component.STORE].ok for look in silent)
    assert spoken[Component.ARTIFACTS] == Health(Component.ARTIFACTS, True)


async def test_a_look_is_part_of_nobodys_request():
    request: ContextVar[str | None] = ContextVar("request", default=None)
    parts_of = []

    async def notes() -> None:
        parts_of.append(request.get())

    request.set("of who asks first")
    await Checks({Component.STORE: notes}).look()

    assert parts_of == [None]


async def test_whoever_needs_all_is_told_of_the_first_that_does_not_work():
    with pytest.raises(Unavailable, match="dispatcher"):
        await Checks(
            {Component.STORE: works, Component.DISPATCHER: is_away, Component.ARTIFACTS: breaks_down}
        ).require_all()


async def test_whoever_asks_whether_all_work_makes_a_look_a_second_however_often(monkeypatch):
    now, asked, speaks = [1000.0], [], asyncio.Event()
    monkeypatch.setattr(checking, "monotonic", lambda: now[0])

    async def counts() -> None:
        asked.append(1)
        await speaks.wait()

    checks = Checks({Component.ARTIFACTS: counts})
    together = asyncio.gather(*(checks.require_all() for _ in range(60)))
    while not asked:
        await asyncio.sleep(0)
    speaks.set()
    await together
    for now[0] in (1000.0, 1000.9):
        await checks.require_all()

    assert len(asked) == 1
    now[0] = 1001.0
    await checks.require_all()
    assert len(asked) == 2


async def test_whoever_needs_all_does_not_wait_for_one_that_is_silent():
    silent = Checks({Component.STORE: asyncio.Event().wait}, patience_s=0.01)

    with pytest.raises(Unavailable, match="silent"):
        await silent.require_all()
