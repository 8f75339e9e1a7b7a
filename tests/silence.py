"""A network that falls silent: a proxy that forwards to a port until it is told to, and closes nothing then."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass
class Path:
    is_open: bool


class Proxy:
    def __init__(self, target: int) -> None:
        self._target = target
        self._paths: list[Path] = []
        self._is_silent = False
        self.port = 0

    def fall_silent(self) -> None:
        """From here on nothing comes through, on connections that are there or such as are made."""
        self._is_silent = True
        for path in self._paths:
            path.is_open = False

    def recover(self) -> None:
        """New connections work; what was connected before never hears another word, nor that it was cut off."""
        self._is_silent = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = Path(is_open=not self._is_silent)
        self._paths.append(path)
        upstream, downstream = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, downstream, path))
                both.create_task(_pump(upstream, writer, path))
        finally:
            writer.close()
            downstream.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, path: Path) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            if path.is_open:
                sink.write(data)
                await sink.drain()
    if path.is_open:
        sink.close()
    else:
        await asyncio.Event().wait()  # the end is not heard of either


@contextlib.asynccontextmanager
async def a_proxy(target: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(target)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(proxy.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
