"""The image of every node: what its Dockerfile makes, and that it keeps to itself."""

import json
import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from synthgen_ray.runtime.environment import DEFAULTS
from tests.manifests.nodes import check_environment, check_image
from tests.manifests.programs import calls, commands
from tests.manifests.unsound import Unsound, within

ROOT = Path(__file__).parents[2]
OPEN_UMASK = 0o022


@dataclass(frozen=True)
class Image:
    """Its last stage."""

    bases: list[str]  # of all stages
    user: str
    users: dict[str, int]  # that it makes, with their ids
    environment: dict[str, str]
    runs: list[list[str]]  # each simple command
    copies: dict[str, str]  # from the repository, by where they are in the image
    entrypoint: list[str]
    command: list[str]

    @property
    def uid(self) -> int:
        return self.users.get(self.user, 0)


def read_image(text: str) -> Image:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    every = [line.split(maxsplit=1) for line in "\n".join(lines).replace("\\\n", " ").splitlines() if line.strip()]
    last = max(i for i, (word, _) in enumerate(every) if word == "FROM")

    def all_of(word: str) -> list[str]:
        return [rest for one, rest in every[last:] if one == word]

    runs = [words for run in all_of("RUN") for words in commands(run)]
    copies = [copy.split() for copy in all_of("COPY") if not copy.startswith("--")]
    return Image(
        bases=[rest.split()[0] for word, rest in every if word == "FROM"],
        user=(all_of("USER") or ["root"])[-1],
        users={words[-1]: int(words[words.index("--uid") + 1]) for words in runs if {"useradd", "--uid"} <= set(words)},
        environment=dict(pair.split("=", 1) for env in all_of("ENV") for pair in shlex.split(env)),
        runs=runs,
        copies={there: source for *sources, there in copies for source in sources},
        entrypoint=_words((all_of("ENTRYPOINT") or ["[]"])[-1]),
        command=_words((all_of("CMD") or ["[]"])[-1]),
    )


def file_of(path: str, there: Mapping[str, str]) -> Path | None:
    """The file of the repository that a container has by that path, of the folders and files that are in it."""
    for folder, source in there.items():
        if PurePosixPath(path).is_relative_to(folder):
            file = ROOT / source / PurePosixPath(path).relative_to(folder)
            return file if file.is_file() else None
    return None


def _words(listed: str) -> list[str]:
    try:
        return [str(word) for word in json.loads(listed)]
    except ValueError as error:
        raise Unsound(f"what it runs is to be a list of words: {listed}") from error


def the_image() -> Image:
    return read_image((ROOT / "cluster/Dockerfile").read_text())


def check_dockerfile(text: str) -> None:
    """Pinned, one user without privileges whose files are nobody else's, nothing from anywhere but the registries, and
    what `synthgen up` sets for Ray."""
    image = read_image(text)
    for base in image.bases:
        check_image(base)
    for line in text.splitlines():
        if not line.startswith("#") and re.search(r"^ADD\b|\b(curl|wget|git clone)\b", line):
            raise Unsound(f"it fetches from outside the registries: {line}")
    for name, value in DEFAULTS.items():
        if image.environment.get(name) != value:
            raise Unsound(f"it does not set {name} to {value}, as `synthgen up` does")
    check_environment(image.environment)
    with within("CMD"):
        list(calls(shlex.join(image.command)))
    let_in = re.findall("^!(.+)$", (ROOT / "cluster/Dockerfile.dockerignore").read_text(), re.MULTILINE)
    for source in image.copies.values():
        if source not in let_in or not (ROOT / source).exists():
            raise Unsound(f"COPY: there is no {source}, or Dockerfile.dockerignore keeps it out")
    _check_is_private(image)


def _check_is_private(image: Image) -> None:
    if image.uid < 1:
        raise Unsound(f"USER {image.user}: it is none that useradd makes here, with an id that is not root's")
    folder = image.environment.get("SYNTHGEN_DATA_DIR", "")
    alone = ["install", "--directory", f"--owner={image.user}", "--mode=0700", folder]
    if [sorted(words) for words in image.runs if folder in words] != [sorted(alone)]:
        raise Unsound(
            f"RUN: of SYNTHGEN_DATA_DIR, which holds rows, it says once {shlex.join(alone)}, and nothing else"
        )
    try:
        asked = subprocess.run(
            [*image.entrypoint, "/bin/sh", "-c", "umask"], capture_output=True, text=True, umask=OPEN_UMASK, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unsound(f"ENTRYPOINT: it runs nothing: {error}") from error
    if int(asked.stdout, 8) != 0o077:
        raise Unsound(f"ENTRYPOINT: its umask is {asked.stdout.strip()}, not 077: others could read what Ray spills")
