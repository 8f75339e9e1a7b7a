"""A network of its own for a node, and the cable to it. Needs root and `ip`."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Cable:
    """Between this machine and a network in which there is nothing but what is started there."""

    name: str
    ours: str  # addresses
    theirs: str

    @property
    def within(self) -> tuple[str, ...]:
        """What starts a command in that network."""
        return ("ip", "netns", "exec", self.name)

    def unplug(self) -> None:
        _ip("link", "set", self.name, "down")

    def plug(self) -> None:
        _ip("link", "set", self.name, "up")


@contextlib.contextmanager
def a_cable() -> Iterator[Cable]:
    place = os.getpid() % 16_000  # among the networks of four addresses under 10.213
    subnet, first = f"10.213.{place // 64}", 4 * (place % 64)
    cable = Cable(f"sg{place}", f"{subnet}.{first + 1}", f"{subnet}.{first + 2}")
    _ip("netns", "add", cable.name)
    try:
        _ip("link", "add", cable.name, "type", "veth", "peer", "name", "eth0", "netns", cable.name)
        _ip("addr", "add", f"{cable.ours}/30", "dev", cable.name)
        _ip("link", "set", cable.name, "up")
        _ip("-n", cable.name, "addr", "add", f"{cable.theirs}/30", "dev", "eth0")
        for device in ("eth0", "lo"):
            _ip("-n", cable.name, "link", "set", device, "up")
        yield cable
    finally:
        _ip("netns", "delete", cable.name)  # and the cable with it


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
