"""Trained models in memory: those that were asked for last, as many as a budget of bytes holds."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

from synthgen_ray.domain.entities import Artifact
from synthgen_ray.synthesizers.base import Synthesizer

Load = Callable[[Artifact], Synthesizer]


class ModelCache:
    """By the id of a model's file, which never changes. Belongs to one event loop; loads run in threads.

    However many ask for a model at once, it is loaded once. Room is made only when a load has succeeded, by those that
    nobody asked for longest; one that is larger than the budget is handed out and not kept. Who holds a model may go on
    with it when it is no longer here.
    """

    def __init__(self, load: Load, most_bytes: int) -> None:
        self._load = load
        self._most_bytes = most_bytes
        self._models: OrderedDict[UUID, tuple[Synthesizer, int]] = OrderedDict()
        self._loading: dict[UUID, asyncio.Task[Synthesizer]] = {}

    @property
    def num_bytes(self) -> int:
        """What the files of the models have, which is about what these take in memory."""
        return sum(size for _, size in self._models.values())

    def __contains__(self, key: UUID) -> bool:
        return key in self._models

    async def get(self, source: Artifact) -> Synthesizer:
        """Raises: what loading raises, to everyone who waited for it; whoever asks next loads anew."""
        if source.id in self._models:
            self._models.move_to_end(source.id)
            return self._models[source.id][0]
        if source.id not in self._loading:
            load = self._loading[source.id] = asyncio.create_task(self._loaded(source))
            load.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # all who waited may have left
        # One who gives up does not take the load from the others.
        return await asyncio.shield(self._loading[source.id])

    def evict(self, key: UUID) -> None:
        """Let a model go, as when it was deleted; one that is being loaded is handed out and not kept."""
        self._models.pop(key, None)
        self._loading.pop(key, None)

    async def _loaded(self, source: Artifact) -> Synthesizer:
        this = asyncio.current_task()
        try:
            model = await asyncio.to_thread(self._load, source)
            if self._loading.get(source.id) is this:  # it was not evicted meanwhile
                self._keep(source, model)
            return model
        finally:
            if self._loading.get(source.id) is this:
                del self._loading[source.id]

    def _keep(self, source: Artifact, model: Synthesizer) -> None:
        if source.size_bytes > self._most_bytes:
            return
        while self.num_bytes + source.size_bytes > self._most_bytes:
            self._models.popitem(last=False)
        self._models[source.id] = model, source.size_bytes
