"""Canaries: secrets and cells are marked, carried through all that the server does, and looked for where they do not
belong. Nor may anybody else on the machine read what it keeps."""

import contextlib
import csv
import hashlib
import io
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.metrics import targets_of
from tests.servers import UpServer, wait_until

ROWS = 60
FREQUENT = 20  # rows that share a value
LARGEST = 64 * 2**20  # bytes of a file that is looked into


def canary(place: str) -> str:
    """32 characters that stand nowhere else."""
    return hashlib.sha256(f"canary of {place}".encode()).hexdigest()[:32]


@dataclass
class Walk:
    """What was sent and what came back on the way through the server."""

    server: UpServer
    began: float
    tokens: dict[str, str] = field(default_factory=dict)  # where they were put -> the token
    problems: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    key: str = ""

    def token(self, place: str) -> str:
        return self.tokens.setdefault(place, canary(place))

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key or self.server.key}", **request.pop("headers", {})}
        answer = httpx.request(method, self.server.url + path, headers=headers, timeout=60, **request)
        if answer.is_error:
            self.problems.append(answer.text + str(answer.headers))
        return answer

    def ask(self, method: str, path: str, status: int, **request: Any) -> Any:
        answer = self.send(method, path, **request)
        assert answer.status_code == status, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    def upload(self, project_id: str, content: bytes, filename: str) -> httpx.Response:
        form = {"project_id": project_id, "name": "canaries"}
        return self.send("POST", "/api/datasets/upload", data=form, files={"file": (filename, content)})

    def ended(self, job_id: str) -> Any:
        def job() -> Any:
            return self.ask("GET", f"/api/synthgen/jobs/{job_id}", 200)

        wait_until(lambda: job()["status"] in ("completed", "failed"), f"job {job_id} ends")
        return job()

    def table(self) -> bytes:
        """Unique texts, a rare category and frequent ones, numbers and dates."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["remark", "city", "amount", "day"])
        for row in range(ROWS):
            city = "rare" if row < 2 else f"frequent {row // FREQUENT}"
            amount, day = row * 7919 % 1000 / 8, f"2024-01-{row % 28 + 1:02}"
            writer.writerow([self.token(f"remark {row}"), self.token(city), amount, day])
        return text.getvalue().encode()


@pytest.fixture(scope="module")
def walk(server: UpServer) -> Iterator[Walk]:
    """The life of a table, with its mishaps."""
    walk = Walk(server, time.time())
    project_id = walk.ask("POST", "/api/projects", 201, json={"name": "Canaries"})["id"]
    _let_in_and_out(walk, project_id)
    dataset = walk.upload(project_id, walk.table(), f"{walk.token('file name')}.csv").json()
    _upload_badly(walk, project_id)
    _train_and_generate(walk, project_id, dataset)
    _fail_to_train(walk, project_id)
    yield walk
    walk.key = ""
    walk.ask("DELETE", f"/api/projects/{project_id}?force=true", 200)


def _let_in_and_out(walk: Walk, project_id: str) -> None:
    wrong = walk.token("wrong key")
    walk.ask("GET", "/api/projects", 401, headers={"Authorization": f"Bearer sg_{wrong}"})
    walk.ask("GET", "/api/projects", 401, headers={"Authorization": f"Basic {walk.token('basic')}"})
    walk.ask("GET", f"/api/projects?api_key={walk.token('key in the address')}", 401, headers={"Authorization": "x"})
    walk.ask("GET", f"/api/projects?limit={walk.token('query')}", 422)
    body = {"name": "canary", "role": "editor", "project_ids": [project_id]}
    walk.key = walk.ask("POST", "/api/keys", 201, json=body)["key"]
    walk.tokens |= {"key": walk.key.removeprefix("sg_"), "admin key": walk.server.key.removeprefix("sg_")}


def _upload_badly(walk: Walk, project_id: str) -> None:
    cell = walk.token("refused cell").encode()
    for content in (
        b"a,b\n" + cell + b",1," + cell + b"\n",
        b'a,b\n1,"' + cell + b"\n",
        b"a,b\n" + cell + b",\xff\n",
        cell + b"\n",
        b"PAR1" + cell + b"PAR1",
        b"a,a\n" + cell + b",1\n",
    ):
        for ending in ("csv", "parquet"):
            refused = walk.upload(project_id, content, f"{walk.token('refused file name')}.{ending}")
            assert refused.is_client_error, refused.text


def _train_and_generate(walk: Walk, project_id: str, dataset: dict[str, Any]) -> None:
    order = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "canaries"}
    for model_type, config in (("gaussian_copula", {}), ("tvae", {"epochs": 2, "batch_size": 20})):
        made = walk.ask("POST", "/api/synthgen/models", 201, json={**order, "model_type": model_type, "config": config})
        assert walk.ended(made["job_id"])["status"] == "completed"
        path = f"/api/synthgen/models/{made['id']}/generate"
        for value in (walk.token("condition"), walk.token("rare")):
            walk.ask("POST", path, 422, json={"conditions": {"city": value}})
        walk.ask("POST", path, 422, json={"conditions": {"amount": walk.token("condition")}})
        sample = f"/api/synthgen/models/{made['id']}/sample"
        for wish in _wishes_that_cannot_be(walk):
            walk.ask("POST", sample, 200)  # a key that was let in is trusted at first
            walk.ask("POST", sample, 422, json=wish)
        impossible = walk.ask("POST", path, 200, json={"conditions": {"amount": 10**17}})
        assert walk.ended(impossible["job_id"])["error"]["code"] == "conditions_unsatisfiable"
        for conditions in ({}, {"city": walk.token("frequent 1")}):
            job = walk.ask("POST", path, 200, json={"num_rows": 500, "conditions": conditions})
            assert walk.ended(job["job_id"])["status"] == "completed"
            walk.outputs.append(walk.ask("GET", f"/api/synthgen/jobs/{job['job_id']}/download", 200))
        _report(walk, {"project_id": project_id, "kind": "synthgen", "entity_id": made["id"]})
    walk.ask("GET", f"/api/datasets/{dataset['dataset_id']}/download", 200)


def _report(walk: Walk, order: dict[str, Any]) -> None:
    report = walk.ask("POST", "/api/reports", 201, json=order)
    assert walk.ended(report["id"])["status"] == "completed"
    for form in ("html", "json"):
        walk.outputs.append(str(walk.ask("GET", f"/api/reports/{report['id']}/download?format={form}", 200)))


def _wishes_that_cannot_be(walk: Walk) -> Iterator[dict[str, Any]]:
    for column in ("city", "day"):
        yield {"conditions": {column: walk.token("condition")}}
    yield {"conditions": {"amount": {"min": walk.token("condition")}}}
    yield {"distribution": {"city": {walk.token("condition"): 1.0}}}


def _fail_to_train(walk: Walk, project_id: str) -> None:
    before = set(_files(walk.server.data_dir / "artifacts"))
    dataset = walk.upload(project_id, walk.table(), "damaged.csv").json()
    (table,) = set(_files(walk.server.data_dir / "artifacts" / "datasets")) - before
    table.write_bytes(b"PAR1" + walk.token("damaged file").encode() * 100 + b"PAR1")
    order = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "damaged"}
    made = walk.ask("POST", "/api/synthgen/models", 201, json={**order, "model_type": "gaussian_copula"})
    assert walk.ended(made["job_id"])["error"]["code"] == "artifact_corrupt"
    walk.ask("GET", f"/api/datasets/{dataset['dataset_id']}/download", 410)


def test_no_problem_repeats_a_secret_or_a_cell(walk):
    assert _found(walk, "".join(walk.problems).encode()) == set()


def test_rows_hold_no_value_of_fewer_rows_than_a_category_needs(walk):
    assert {place.split()[0] for place in _found(walk, "".join(walk.outputs).encode())} == {"frequent"}


def test_what_is_written_outside_the_stores_holds_none_of_them(walk):
    data_dir = walk.server.data_dir
    stores = (data_dir / "artifacts" / "datasets", data_dir / "artifacts" / "jobs")
    files = [path for path in _files(data_dir) if not any(path.is_relative_to(store) for store in stores)]

    found = {(path.name.split(".")[0], place) for path in files for place in _found(walk, _bytes(path))}

    assert len(files) > 20
    # The categories that a model knows are part of what the database says of it.
    assert found == {("admin_key", "admin key"), *(("synthgen", f"frequent {number}") for number in range(3))}


def test_models_and_outputs_hold_frequent_values_alone(walk):
    files = list(_files(walk.server.data_dir / "artifacts" / "jobs"))

    found = {place for path in files for place in _found(walk, _bytes(path))}

    assert {place.split()[0] for place in found} == {"frequent"}


def test_temporary_folders_hold_none_of_them(walk, tmp_path_factory):
    ours = tmp_path_factory.getbasetemp()
    since = [path for path in _files(Path(tempfile.gettempdir())) if _is_new(path, walk.began)]
    files = [path for path in since if not path.is_relative_to(ours) and not path.is_relative_to(walk.server.data_dir)]

    assert {(str(path), place) for path in files for place in _found(walk, _bytes(path))} == set()


def test_no_command_line_and_no_metric_holds_one(walk):
    lines = "\0".join(" ".join(process.cmdline()) for process in walk.server.processes("") if process.is_running())
    metrics = [metrics_at(address) for address in targets_of(walk.server.data_dir)]

    assert metrics
    assert _found(walk, "\0".join([lines, *metrics]).encode()) == set()


def metrics_at(address: str) -> str:
    """Some are named before they answer."""
    found = []

    def answers() -> bool:
        with contextlib.suppress(httpx.TransportError):
            found.append(httpx.get(f"http://{address}/metrics").text)
        return bool(found)

    wait_until(answers, f"{address} tells its metrics")
    return found[0]


def test_nobody_else_can_read_what_the_server_keeps(walk):
    root = walk.server.data_dir

    open_to_others = [path.relative_to(root) for path in root.rglob("*") if _is_open(path)]

    assert not _is_open(root)
    # Ray opens some of its folders again with each worker: for these the root is the lock, and their files are shut.
    assert [path for path in open_to_others if path.parts[0] != "ray" or not (root / path).is_dir()] == []


def _found(walk: Walk, content: bytes) -> set[str]:
    return {place for place, token in walk.tokens.items() if token.encode() in content}


def _files(folder: Path) -> Iterator[Path]:
    """Others may remove a folder meanwhile: `walk` goes on then."""
    paths = (Path(parent, name) for parent, _, names in os.walk(folder) for name in names)
    return (path for path in paths if path.is_file() and not path.is_symlink())


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.stat().st_size < LARGEST else b""
    except OSError:  # another's, or gone by now
        return b""


def _is_new(path: Path, since: float) -> bool:
    try:
        return path.stat().st_mtime >= since
    except OSError:
        return False


def _is_open(path: Path) -> bool:
    try:
        return not path.is_symlink() and bool(path.lstat().st_mode & 0o077)
    except FileNotFoundError:
        return False
