"""How the parts of a server are looked at."""

import asyncio

import pytest

from synthgen_ray.api import checks as checking
from synthgen_ray.api.checks import Checks, Finding, Part
from synthgen_ray.domain.errors import Unavailable


async def works() -> None: ...


async def is_away() -> None:
    raise Unavailable("The dispatcher does not answer.", "dispatcher_unavailable")


async def breaks_down() -> None:
    raise ZeroDivisionError("secret")


async def test_all_parts_are_looked_at_also_when_one_is_away_or_breaks_down():
    checks = Checks({Part.STORE: breaks_down, Part.ARTIFACTS: works, Part.DISPATCHER: is_away})

    findings = await checks.look()

    assert list(findings) == list(Part)
    assert findings[Part.ARTIFACTS] == Finding(Part.ARTIFACTS, True)
    assert findings[Part.DISPATCHER].code == "dispatcher_unavailable"
    assert findings[Part.STORE].code == "store_unavailable"
    assert "secret" not in str(findings)


async def test_a_part_that_is_silent_is_asked_once_until_it_speaks():
    asked, speaks = [], asyncio.Event()

    async def is_silent() -> None:
        asked.append(1)
        await speaks.wait()

    checks = Checks({Part.STORE: works, Part.ARTIFACTS: is_silent}, patience_s=0.01)
    silent = [await checks.look() for _ in range(3)]
    speaks.set()
    while not (spoken := await checks.look())[Part.ARTIFACTS].ok:
        assert len(asked) == 1

    assert [look[Part.ARTIFACTS].code for look in silent] == ["artifacts_unavailable"] * 3
    assert all(look[Part.STORE].ok for look in silent)
    assert spoken[Part.ARTIFACTS] == Finding(Part.ARTIFACTS, True)


async def test_whoever_needs_all_is_told_of_the_first_that_does_not_work():
    with pytest.raises(Unavailable, match="dispatcher"):
        await Checks({Part.STORE: works, Part.DISPATCHER: is_away, Part.ARTIFACTS: breaks_down}).require_all()


async def test_whoever_asks_whether_all_work_makes_a_look_a_second_however_often(monkeypatch):
    now, asked, speaks = [1000.0], [], asyncio.Event()
    monkeypatch.setattr(checking, "monotonic", lambda: now[0])

    async def counts() -> None:
        asked.append(1)
        await speaks.wait()

    checks = Checks({Part.ARTIFACTS: counts})
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
    silent = Checks({Part.STORE: asyncio.Event().wait}, patience_s=0.01)

    with pytest.raises(Unavailable, match="silent"):
        await silent.require_all()
