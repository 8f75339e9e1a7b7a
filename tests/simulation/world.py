"""Dispatchers, their workers and clients around a queue, in a time that a seed makes: crashes before and after a
transaction, lost answers, pauses longer than a lease, partitions, and clocks that are set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from synthgen_ray.domain.lifecycle import LEASE, QUEUED, JobType
from synthgen_ray.jobs.clock_watch import ClockWatch
from synthgen_ray.jobs.dispatcher import HEARTBEAT_S
from synthgen_ray.store.deadlines import SLACK
from tests.simulation.model import DEADLINE, START, Attempt, Folder, QueueModel

LEASE_S = LEASE.total_seconds()
YEARS = timedelta(days=3650)
JUMPS = (timedelta(hours=1), timedelta(hours=-1), YEARS)
CALM_S = 4 * LEASE_S  # between two jumps: two that cancel out between two looks go unseen
SLOTS = 2


class Unanswered(Exception):
    """A call that may have happened."""


class Crashed(Exception):
    """The caller died."""


@dataclass(frozen=True)
class Call:
    now: datetime
    method: str
    arguments: tuple[Any, ...]
    answer: Any


@dataclass
class Work:
    """An attempt at work: steps until it ends, and what it made when it has."""

    attempt: Attempt
    steps: int
    artifact: int | None = None


@dataclass
class Actor:
    """Anybody who calls the queue, until then asleep or cut off from it."""

    name: str
    asleep_until: float = 0.0
    cut_until: float = 0.0


@dataclass
class Dispatcher(Actor):
    watch: ClockWatch | None = None
    recovered: bool = False
    has_unheard: bool = False  # of its claims
    heard: float | None = None  # when it last sent a heartbeat
    running: dict[Attempt, Work] = field(default_factory=dict)


@dataclass
class Client(Actor):
    asked: dict[str, tuple[int, JobType]] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)


class World:
    def __init__(self, seed: int, queue: QueueModel) -> None:
        self.chance = Random(seed)
        self.queue = queue
        self.wall = START
        self.monotonic = 1000.0
        self.calm_until = 0.0
        self.faulty = True
        self.calls: list[Call] = []
        self.files: dict[Attempt, int | None] = {}  # folders on disk, and which artifact is whole in them
        self.renewed: dict[Attempt, float] = {}
        self.published: list[Attempt] = []
        self.deleted: set[int] = set()
        self.taken_alive: list[Attempt] = []
        self.asked_at: dict[int, float] = {}
        self.overdue_at: dict[int, float] = {}
        self.far_off: set[int] = set()  # jobs whose deadline is further off than any that is given
        self.abandoned: set[Attempt] = set()  # by a dispatcher that crashed
        self.zombies: list[tuple[Attempt, float]] = []
        self.dispatchers = [self._started(f"d{i}") for i in range(3)]
        self.clients = [Client(f"c{i}") for i in range(2)]
        self._artifacts = iter(range(1, 1_000_000))

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self._pass_time()
            actor = self.chance.choice([*self.dispatchers, *self.clients])
            if actor.asleep_until <= self.monotonic:
                self._act(actor)
            self._workers_write()

    def quiesce(self, rounds: int = 400) -> None:
        """No more faults, no new jobs: what there is comes to its end."""
        self.faulty = False
        self.zombies.clear()
        for client in self.clients:
            client.cut_until = 0.0
            for key in [key for key in client.asked if key not in client.answered]:
                self._pass_time()
                self._ask(client, key)
        self._settle(rounds, lambda: all(job.status.is_final for job in self.queue.jobs.values()))
        self._settle(rounds, lambda: not self.queue.erasures and not any(d.running for d in self.dispatchers))

    def _settle(self, rounds: int, is_over: Callable[[], bool]) -> None:
        for _ in range(rounds):
            for dispatcher in list(self.dispatchers):
                self._pass_time()
                dispatcher.asleep_until = dispatcher.cut_until = 0.0
                self._dispatch(dispatcher)
            if is_over():
                return

    def _pass_time(self, at_most: float = 4.0) -> None:
        seconds = round(self.chance.uniform(0.001, at_most), 3)
        self.monotonic += seconds
        self.wall += timedelta(seconds=seconds)
        if self.faulty and self.monotonic > self.calm_until and self.chance.random() < 0.004:
            jump = self.chance.choice(JUMPS)
            self.wall += jump if self.wall < START + YEARS else -YEARS  # one that is years ahead is set right
            self.calm_until = self.monotonic + CALM_S

    def _act(self, actor: Actor) -> None:
        try:
            if isinstance(actor, Dispatcher):
                self._dispatch(actor)
            elif isinstance(actor, Client):
                self._use(actor)
        except Crashed:
            if isinstance(actor, Dispatcher):
                self._crash(actor)
        except Unanswered:
            pass
        if self.faulty and self.chance.random() < 0.03:
            actor.asleep_until = self.monotonic + self.chance.choice((5.0, 30.0, 2.5 * LEASE_S))
        if self.faulty and self.chance.random() < 0.02:
            actor.cut_until = self.monotonic + self.chance.choice((15.0, 2 * LEASE_S))

    def _call(self, actor: Actor, method: str, *arguments: Any) -> Any:
        """Raises: Crashed; Unanswered, whether or not it happened."""
        fate = self.chance.random() if self.faulty else 1.0
        if fate < 0.01:
            raise Crashed
        if fate < 0.02 or actor.cut_until > self.monotonic:
            raise Unanswered
        answer = getattr(self.queue, method)(self.wall, *arguments)
        if method == "enqueue":
            self.asked_at.setdefault(answer, self.monotonic)
        self.calls.append(Call(self.wall, method, arguments, answer))
        if fate < 0.03:
            raise Crashed
        if fate < 0.05:
            raise Unanswered
        return answer

    # Dispatchers

    def _started(self, name: str) -> Dispatcher:
        watch = ClockWatch(LEASE_S, lambda: self.wall.timestamp(), lambda: self.monotonic)
        return Dispatcher(name, watch=watch)

    def _crash(self, dispatcher: Dispatcher) -> None:
        """It starts anew. Its workers may go on writing for as long as their leases, and nobody hears of them."""
        self.abandoned.update(dispatcher.running)
        writing = [attempt for attempt, work in dispatcher.running.items() if work.artifact is None]
        self.zombies += [(attempt, self.renewed[attempt] + 0.9 * LEASE_S) for attempt in writing]
        self.dispatchers[self.dispatchers.index(dispatcher)] = self._started(dispatcher.name)

    def _workers_write(self) -> None:
        """On their own, whether or not their dispatcher is asleep, cut off or gone."""
        self.zombies = [(attempt, until) for attempt, until in self.zombies if until > self.monotonic]
        works = [work for dispatcher in self.dispatchers for work in dispatcher.running.values()]
        writing = [work.attempt for work in works if work.artifact is None]
        for attempt in (*writing, *(attempt for attempt, _ in self.zombies)):
            if self.chance.random() < 0.1:
                self.files.setdefault(attempt, None)

    def _dispatch(self, me: Dispatcher) -> None:
        if not me.recovered:
            self._call(me, "requeue_running", me.name)
            me.recovered = True
        if me.heard is None or self.monotonic - me.heard >= HEARTBEAT_S:
            self._heartbeat(me)
        for _ in range(3):  # at different times: anything may come between two
            self._pass_time(at_most=1.0)
            self.chance.choice((self._look, self._claim, self._work, self._work))(me)

    def _look(self, me: Dispatcher) -> None:
        self._keep_only(me, self._call(me, "find_held", tuple(me.running)))

    def _heartbeat(self, me: Dispatcher) -> None:
        assert me.watch is not None
        running = {(job.id, job.attempt) for job in self.queue.jobs.values() if job.lease_expires_at}
        attempts = tuple(me.running)
        since = None if me.heard is None else timedelta(seconds=self.monotonic - me.heard)
        is_first = since is None or since >= LEASE / 2
        if is_first:
            me.watch.begin_anew()
        try:
            held = self._call(me, "heartbeat", attempts, since, not is_first, me.watch.is_steady())
        finally:
            self._note_lost(running - set(attempts))
            self._note_overdue()
        if not is_first:
            self._note_far_off()
        for attempt in held:
            self.renewed[attempt] = self.monotonic
        me.heard = self.monotonic
        self._keep_only(me, held)
        self._erase(me)

    def _note_lost(self, others: set[Attempt]) -> None:
        """Whose lease a heartbeat ended: nobody's who renewed it a moment ago."""
        for job_id, attempt in others:
            job = self.queue.jobs[job_id]
            lost = not job.lease_expires_at and job.error in (None, "worker_lost")
            if lost and self.monotonic - self.renewed.get((job_id, attempt), 0.0) < LEASE_S:
                self.taken_alive.append((job_id, attempt))

    def _note_overdue(self) -> None:
        for job in self.queue.jobs.values():
            if job.error == "deadline_exceeded":
                self.overdue_at.setdefault(job.id, self.monotonic)

    def _note_far_off(self) -> None:
        for job in self.queue.jobs.values():
            if not job.status.is_final and job.deadline_at > self.wall + DEADLINE + SLACK:
                self.far_off.add(job.id)

    def _keep_only(self, me: Dispatcher, held: set[Attempt]) -> None:
        if unwanted := [attempt for attempt in me.running if attempt not in held]:
            self._call(me, "discard", tuple(unwanted))
            for attempt in unwanted:
                del me.running[attempt]

    def _erase(self, me: Dispatcher) -> None:
        soon, erasures = self.wall + LEASE, self.queue.erasures.items()
        due: tuple[Folder, ...] = tuple(folder for folder, at in erasures if not self.wall < at <= soon)
        for folder in due:
            for attempt in [attempt for attempt in self.files if attempt[: len(folder)] == folder]:
                del self.files[attempt]
        if due:
            self._call(me, "erased", due)

    def _claim(self, me: Dispatcher) -> None:
        if len(me.running) == SLOTS:
            return
        kinds = QUEUED if self.chance.random() < 0.8 else (self.chance.choice(QUEUED),)
        if me.has_unheard:
            self._call(me, "requeue_unheard", me.name, tuple(me.running))
        me.has_unheard = True
        attempt = self._call(me, "claim", kinds, me.name)
        me.has_unheard = False
        if attempt is not None:
            self.renewed[attempt] = self.monotonic
            me.running[attempt] = Work(attempt, self.chance.randrange(5))

    def _work(self, me: Dispatcher) -> None:
        if not me.running:
            return
        work = self.chance.choice(list(me.running.values()))
        if work.artifact is None:
            self.files[work.attempt] = None
            if work.steps > 0:
                work.steps -= 1
                return
            if self.chance.random() < 0.15:
                self._call(me, *self._failure(work.attempt))
                del me.running[work.attempt]
                return
            work.artifact = self.files[work.attempt] = next(self._artifacts)
        job = self.queue.jobs.get(work.attempt[0])
        already = job is None or job.artifact is not None
        try:
            if not self._call(me, "complete", work.attempt, work.artifact):
                self._call(me, "discard", (work.attempt,))
        finally:
            job = self.queue.jobs.get(work.attempt[0])
            if not already and job and job.artifact is not None:
                self.published.append(work.attempt)
        del me.running[work.attempt]

    def _failure(self, attempt: Attempt) -> tuple[Any, ...]:
        given_back = [(how, attempt, flag) for how in ("requeue", "postpone") for flag in (True, False)]
        return self.chance.choice([("fail", attempt), *given_back])

    # Clients

    def _use(self, me: Client) -> None:
        action: Callable[[Client], None] = self.chance.choices(
            (self._submit, self._repeat, self._cancel, self._delete), (10, 4, 2, 1)
        )[0]
        action(me)

    def _submit(self, me: Client) -> None:
        key = f"{me.name}-{len(me.asked)}"
        me.asked[key] = (self.chance.randrange(3), self.chance.choice(QUEUED))
        self._ask(me, key)

    def _repeat(self, me: Client) -> None:
        """What was not answered, or what was, sent once more."""
        if me.asked:
            self._ask(me, self.chance.choice(list(me.asked)))

    def _ask(self, me: Client, key: str) -> None:
        job = self._call(me, "enqueue", key, *me.asked[key])
        assert me.answered.setdefault(key, job) == job, "a call made two jobs"

    def _cancel(self, me: Client) -> None:
        for job_id in self._one_of(me):
            self._call(me, "cancel", job_id)

    def _delete(self, me: Client) -> None:
        for job_id in self._one_of(me):
            self.deleted.add(job_id)
            self._call(me, "delete", job_id)

    def _one_of(self, me: Client) -> Iterator[int]:
        if me.answered:
            yield self.chance.choice(list(me.answered.values()))
