"""A chain of hashes shows what was done to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

from synthgen_ray.domain.audit import NOTHING_BEFORE, Action, AuditEvent, find_break, hash_of

MOMENT = datetime(2026, 2, 25, 10, 0, 0, 123456, tzinfo=UTC)


def a_chain(length: int) -> list[AuditEvent]:
    """Newest first."""
    events: list[AuditEvent] = []
    previous = NOTHING_BEFORE
    for number in range(1, length + 1):
        ids = (uuid4(), uuid4(), uuid4())
        event = AuditEvent(number, MOMENT, Action.MODEL_CREATE, *ids, f"request {number}", "10.0.0.7", previous, "")
        previous = hash_of(event)
        events.append(replace(event, hash=previous))
    return events[::-1]


def rewritten(event: AuditEvent, **changes: object) -> AuditEvent:
    """With a hash that fits."""
    changed = replace(event, **changes)
    return replace(changed, hash=hash_of(changed))


@pytest.mark.parametrize("length", [0, 1, 5])
def test_a_chain_as_it_was_written_is_sound(length):
    assert find_break(a_chain(length)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"number": 7},
        {"at": MOMENT + timedelta(microseconds=1)},
        {"action": Action.MODEL_DELETE},
        {"object_id": UUID(int=0)},
        {"project_id": None},
        {"key_id": UUID(int=0)},
        {"request_id": "another"},
        {"address": "10.0.0.8"},
        {"previous": "ab" * 32},
        {"hash": "ab" * 32},
    ],
)
def test_a_changed_event_is_found(change):
    events = a_chain(5)
    events[2] = replace(events[2], **change)

    assert find_break(events) is events[2]


def test_a_rewritten_event_does_not_go_with_the_one_after_it():
    events = a_chain(5)
    events[2] = rewritten(events[2], address="10.0.0.8")

    assert find_break(events) is events[1]


def test_a_missing_event_is_found():
    events = a_chain(5)

    assert find_break(events[:2] + events[3:]) is events[1]
    assert find_break(events[:-2]) is None  # the oldest are let go in time


def test_a_moment_is_one_in_any_time_zone():
    event = a_chain(1)[0]
    elsewhere = replace(event, at=event.at.astimezone(timezone(timedelta(hours=9))))

    assert find_break([elsewhere]) is None
