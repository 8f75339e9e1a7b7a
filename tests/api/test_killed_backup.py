"""A backup that is killed at work, and the next one to the same place."""

import asyncio
from pathlib import Path

import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.backup import replacing
from synthgen_ray.backup.making import back_up
from synthgen_ray.backup.manifest import MANIFEST


class KillsAtTheLastStep(DiskArtifacts):
    def rename(self, location: str, name: str, new: str) -> None:
        raise SystemExit


async def test_the_next_one_lets_go_of_what_it_left(server, client, given_dataset, database_url, tmp_path, monkeypatch):
    monkeypatch.setattr(replacing, "DEAD_S", 0.1)
    await given_dataset()
    place = tmp_path / "backups"
    with pytest.raises(SystemExit):
        await asyncio.to_thread(back_up, database_url, server.artifacts, KillsAtTheLastStep(place))
    (table,) = place.glob("datasets/*/*")
    half_a_table = table.with_name(f".{table.name}.{'0' * 32}")
    half_a_table.touch()
    left = files_at(place) - {table, place / "server" / "owner"}
    (its_manifest,) = (place / "backup").glob("manifest-*")
    assert {file.name for file in left} == {"rows.jsonl.gz", half_a_table.name, its_manifest.name}

    await client.post("/api/projects", json={"name": "Another"})  # the same rows would have the same name
    await asyncio.to_thread(back_up, database_url, server.artifacts, DiskArtifacts(place))

    assert not left & files_at(place)
    assert sorted(file.name for file in files_at(place)) == sorted(["owner", table.name, "rows.jsonl.gz", MANIFEST])


def files_at(place: Path) -> set[Path]:
    return {path for path in place.rglob("*") if path.is_file()}
