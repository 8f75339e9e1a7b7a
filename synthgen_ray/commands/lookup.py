"""From what people call things to the things, and to the ids that the API takes."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from synthgen_ray.client import ClientError, SynthGen
from synthgen_ray.client.answers import JSON

PAGE = 500
MOST_TOLD = 5  # of several things with one name, the newest


class NotFoundByName(ClientError):
    """No thing of that name, or several."""


def get_project(client: SynthGen, name_or_id: str) -> JSON:
    if is_id(name_or_id):
        return client.get_project(name_or_id)
    return _required(find_project(client, name_or_id), name_or_id, "project")


def find_project(client: SynthGen, name: str) -> JSON | None:
    return _find(client, every(client.list_projects), name, "projects")


def project_id(client: SynthGen, name_or_id: str) -> str:
    return name_or_id if is_id(name_or_id) else str(get_project(client, name_or_id)["id"])


def project_id_or_new(client: SynthGen, name_or_id: str) -> str:
    if is_id(name_or_id):
        return name_or_id
    return str((find_project(client, name_or_id) or client.create_project(name_or_id))["id"])


def get_dataset(client: SynthGen, name_or_id: str, project: str | None = None) -> JSON:
    """A dataset with its latest version; with `project`, a name is one in this project."""
    if is_id(name_or_id):
        return client.get_dataset(name_or_id)
    inside = project_id(client, project) if project else None
    found = _find(client, every(client.list_datasets, project_id=inside), name_or_id, "datasets")
    return _required(found, name_or_id, "dataset")


def datasets_called(client: SynthGen, name: str, project_id: str) -> list[JSON]:
    """Those of a project, the newest first."""
    return [dataset for dataset in every(client.list_datasets, project_id=project_id) if dataset["name"] == name]


def dataset_id(client: SynthGen, name_or_id: str, project: str | None = None) -> str:
    return name_or_id if is_id(name_or_id) else str(get_dataset(client, name_or_id, project)["id"])


def version_id(client: SynthGen, dataset: JSON, version: int | None) -> str:
    """Of a version of a dataset that was got; of the latest without a number."""
    return str(dataset["dataset_version_id"] if version is None else client.get_version(dataset["id"], version)["id"])


def model_id(client: SynthGen, name_or_id: str) -> str:
    if is_id(name_or_id):
        return name_or_id
    found = _find(client, every(client.list_models), name_or_id, "models")
    return str(_required(found, name_or_id, "model")["id"])


def key_id(client: SynthGen, name_or_id: str) -> str:
    if is_id(name_or_id):
        return name_or_id
    found = _find(client, every(client.list_keys), name_or_id, "keys")
    if found is None:  # without the name: it may be the key itself, which belongs into no log
        raise NotFoundByName("There is no key of this name: see 'synthgen keys list'.")
    return str(found["id"])


def every(list_page: Callable[..., JSON], **filters: Any) -> Iterator[JSON]:
    """All items of a list, page by page, each once: what is added meanwhile moves the others back."""
    offset = 0
    told: set[str] = set()
    while True:
        page = list_page(**filters, limit=PAGE, offset=offset)
        yield from (item for item in page["items"] if item["id"] not in told)
        told.update(item["id"] for item in page["items"])
        offset += len(page["items"])
        if not page["items"] or offset >= page["total"]:
            return


def is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _find(client: SynthGen, items: Iterator[JSON], name: str, what: str) -> JSON | None:
    named = [item for item in items if item["name"] == name]
    if len(named) > 1:
        lines = [f"{len(named)} {what} are called '{name}'; give the id of one:"]
        lines += [
            f"  {item['id']}  made {item['created_at']}{_where(client, item, what)}" for item in named[:MOST_TOLD]
        ]
        raise NotFoundByName("\n".join(lines))
    return named[0] if named else None


def _where(client: SynthGen, item: JSON, what: str) -> str:
    """A list of models does not say which project each is in."""
    inside = client.get_model(item["id"])["model"]["project_id"] if what == "models" else item.get("project_id")
    return f" in project '{client.get_project(inside)['name']}'" if inside else ""


def _required(found: JSON | None, name: str, what: str) -> JSON:
    if found is None:
        raise NotFoundByName(f"There is no {what} '{name}'.")
    return found
