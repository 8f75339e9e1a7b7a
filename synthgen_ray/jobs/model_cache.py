"""Trained models in memory: those that were asked for last, as many as a budget of bytes holds."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable

from synthgen_ray.domain.entities import Artifact
from synthgen_ray.synthesizers.base import Synthesizer

Load = Callable[[Artifact], Synthesizer]
REMEMBERED = 1000  # folders that were forgotten last


class ModelCache:
    """By the model's file, which never changes. Belongs to one event loop; loads run in threads.

    However many ask for a model at once, it is loaded once. Room is made only when a load has succeeded, by those that
    nobody asked for longest; one that is larger than the budget is handed out and not kept. Who holds a model may go on
    with it when it is no longer here.
    """

    def __init__(self, load: Load, most_bytes: int) -> None:
        self._load = load
        self._most_bytes = most_bytes
        self._models: OrderedDict[Artifact, Synthesizer] = OrderedDict()
        self._loading: dict[Artifact, asyncio.Task[Synthesizer]] = {}
        self._forgotten: deque[str] = deque(maxlen=REMEMBERED)

    @property
    def num_bytes(self) -> int:
        """What the files of the models have; in memory these take up to four times as much."""
        return sum(source.size_bytes for source in self._models)

    def __contains__(self, source: Artifact) -> bool:
        return source in self._models

    async def get(self, source: Artifact) -> Synthesizer:
        """Raises: what loading raises, to everyone who waited for it; whoever asks next loads anew."""
        if source in self._models:
            self._models.move_to_end(source)
            return self._models[source]
        if source not in self._loading:
            load = self._loading[source] = asyncio.create_task(self._loaded(source))
            load.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # all who waited may have left
        # One who gives up does not take the load from the others.
        return await asyncio.shield(self._loading[source])

    def forget(self, folders: Collection[str]) -> None:
        """Let go the models whose files were in these folders. One that is being loaded, or is loaded after that from a
        copy that a machine has of its file, is handed out and not kept."""
        self._forgotten.extend(folders)
        for source in [*self._models, *self._loading]:
            if _is_in(source, folders):
                self._models.pop(source, None)
                self._loading.pop(source, None)

    async def _loaded(self, source: Artifact) -> Synthesizer:
        this = asyncio.current_task()
        try:
            model = await asyncio.to_thread(self._load, source)
            if self._loading.get(source) is this:  # it was not forgotten meanwhile
                self._keep(source, model)
            return model
        finally:
            if self._loading.get(source) is this:
                del self._loading[source]

    def _keep(self, source: Artifact, model: Synthesizer) -> None:
        if source.size_bytes > self._most_bytes or _is_in(source, self._forgotten):
            return
        while self.num_bytes + source.size_bytes > self._most_bytes:
            self._models.popitem(last=False)
        self._models[source] = model


def _is_in(source: Artifact, folders: Iterable[str]) -> bool:
    return any(f"{source.location}/".startswith(f"{folder}/") for folder in folders)
