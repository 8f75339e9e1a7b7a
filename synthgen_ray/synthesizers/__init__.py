"""The mathematics: table in, table out. Read `base`, `codec`, `gaussian_copula`, `ctgan`, `tvae`, then `sampling/`.

`load` and the class of each model type are here too, by name. They load on first use: a process that only passes models
on never imports torch.
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    base = import_module(f"{__name__}.base")
    if name == "load":
        return base.load
    for model_type, its_name in base.CLASSES.items():
        if its_name == name:
            return base.synthesizer_class(model_type)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
