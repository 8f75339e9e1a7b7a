"""A step of training as machine code of its own."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import torch

log = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def compiled(step: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """The same step as machine code, made when it is first called; as it is where no compiler is found or it fails, or
    where others could put theirs in the place of what it makes."""
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        log.warning("No C++ compiler is found: the training goes on without one.")
        return step
    folder = _folder()
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        pass
    except OSError as error:
        log.warning("PyTorch cannot keep what it compiles (%s): the training goes on without.", error.strerror)
        return step
    if folder.lstat().st_uid != os.geteuid():
        log.warning("PyTorch would run code from %s, which is another user's: the training goes on without.", folder)
        return step
    folder.chmod(0o700)
    torch.compiler.reset()  # of functions that do without gradients it compiles eight in a process, whatever they are
    run = cast(Callable[Arguments, Answer], torch.compile(step, dynamic=False))

    def either(*arguments: Arguments.args, **options: Arguments.kwargs) -> Answer:
        nonlocal run
        try:
            return run(*arguments, **options)
        except RuntimeError as error:
            if run is step or not _is_the_compilers(error):
                raise
            log.warning("The C++ compiler fails (%s): the training goes on without.", type(error).__name__)
            run = step
        return run(*arguments, **options)

    return either


def _is_the_compilers(error: RuntimeError) -> bool:
    from torch._dynamo.exc import TorchDynamoException  # which was imported by then

    return isinstance(error, TorchDynamoException)


def _folder() -> Path:
    """Where PyTorch keeps what it compiled, and runs what it finds: anybody may have made it first."""
    from torch._inductor.codecache import default_cache_dir  # type: ignore[attr-defined]  # a second of import

    return Path(default_cache_dir())
