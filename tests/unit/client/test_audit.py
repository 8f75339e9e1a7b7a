"""The audit trail, verified while others go on."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import httpx

from synthgen_ray.api.schemas.audit import AuditEventSchema
from synthgen_ray.client import SynthGen
from synthgen_ray.client.answers import JSON
from synthgen_ray.client.audit import PAGE
from synthgen_ray.domain.audit import NOTHING_BEFORE, Action, AuditEvent, hash_of


class Trail:
    """A server at which so many events come with each look at them."""

    def __init__(self, num_events: int, more: int) -> None:
        self.events: list[AuditEvent] = []
        self._more, self._looks = more, 0
        self.add(num_events)

    def add(self, num_events: int) -> None:
        for _ in range(num_events):
            number, previous = len(self.events) + 1, self.events[-1].hash if self.events else NOTHING_BEFORE
            said = (number, datetime.now(UTC), Action.MODEL_SAMPLE, uuid4(), uuid4(), uuid4(), "r-1", "10.0.0.7")
            event = AuditEvent(*said, previous, hash="")
            self.events.append(replace(event, hash=hash_of(event)))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self._looks += 1
        assert self._looks < 50, "it never ends"
        self.add(self._more)
        limit, offset = (int(request.url.params[name]) for name in ("limit", "offset"))
        items = [AuditEventSchema.of(event).model_dump(mode="json") for event in self.events[::-1][offset:][:limit]]
        return httpx.Response(200, json={"items": items, "total": len(self.events)})

    def verified(self) -> tuple[JSON | None, JSON | None]:
        return SynthGen("http://synthgen", "sg_key", transport=httpx.MockTransport(self)).verify_audit()


def test_a_trail_that_grows_as_it_is_read_is_read_to_its_end():
    trail = Trail(6 * PAGE, more=PAGE // 2)

    newest, broken = trail.verified()

    assert broken is None
    assert newest is not None
    assert newest["number"] == 6 * PAGE + PAGE // 2


def test_where_it_is_broken_is_found_behind_many_sound_ones():
    trail = Trail(2 * PAGE, more=1)
    trail.events[2] = replace(trail.events[2], address="elsewhere")

    _, broken = trail.verified()

    assert broken is not None
    assert broken["number"] == 3


def test_one_that_is_missing_is_told_by_the_one_after_it():
    trail = Trail(2 * PAGE, more=0)
    del trail.events[6]

    _, broken = trail.verified()

    assert broken is not None
    assert broken["number"] == 8
