"""Ray Data as we use it: one row of a dataset is one thing to make, on as many actors as there are CPUs."""

import logging
import warnings
from collections.abc import Generator, Sequence
from typing import Any

from ray.exceptions import RayError, RayTaskError

from synthgen_ray.domain.errors import Postponed, WorkerLost
from synthgen_ray.runtime.samplers import cause_of

Row = dict[str, Any]

# Half of each CPU is left to others: on a cluster that is full Ray Data waits for ever.
CPUS_EACH = 0.5
MOST_BLOCKS = 2000  # all of which are made before the first row is
# Who log of what a worker raises pages of frames, and that Ray has a bug. It is raised here too.
WORDY = ("ray.data.exceptions", "ray.data._internal.execution.streaming_executor_state")
ENDLESS = -1.0  # Ray Data itself gives up after half an hour
LOSSES = 3  # of an actor; without a number Ray Data repeats what kills its process for ever


def made_by_all(
    maker: type, given: tuple[Any, ...], rows: Sequence[Row], workers: int | None = None, patience_s: float = ENDLESS
) -> Generator[Row, None, None]:
    """What `maker(*given)` makes of each row, in the order in which it comes. `patience_s` is for the first, and from
    one to the next.

    Raises: Postponed, when the first does not come, as on a cluster that is full; WorkerLost; what a maker raises.
    """
    import ray.data
    from ray.data.exceptions import ExecutionTimeoutError
    from ray.util.annotations import RayDeprecationWarning

    for name in WORDY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.raise_original_map_exception = True
    context.execution_no_progress_timeout_s = patience_s
    is_begun = False
    try:
        size = min(workers or max(1, int(ray.cluster_resources().get("CPU", 1))), len(rows))
        table = ray.data.from_items(list(rows), override_num_blocks=min(len(rows), MOST_BLOCKS))
        with warnings.catch_warnings():
            # Of the last two: Ray 2.60 calls what it has no parameter for deprecated, and these it has none for.
            warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated", RayDeprecationWarning)
            made = table.map(
                maker,
                fn_constructor_args=given,
                compute=ray.data.ActorPoolStrategy(size=size),
                num_cpus=CPUS_EACH,
                max_restarts=LOSSES,
                # Each try counts that Ray makes until it takes a node for dead: three are over before.
                max_task_retries=-1,
            )
        for row in made.iter_rows():
            is_begun = True
            yield row
    except RayTaskError as error:
        raise cause_of(error) from None  # what Ray says of it is a traceback, and would be told beside it
    except ExecutionTimeoutError as error:
        raise (WorkerLost if is_begun else Postponed) from error
    except RayError as error:
        raise WorkerLost from error
