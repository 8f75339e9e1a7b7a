"""The mathematics: table in, table out. Read `base`, `codec`, `gaussian_copula`, `ctgan`, `tvae`, then `sampling/`.

`load` and the class of each model type load on first use: a process that only passes models on never imports torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for editors and type checkers
    from synthgen_ray.synthesizers.base import load
    from synthgen_ray.synthesizers.copulagan import CopulaGAN
    from synthgen_ray.synthesizers.ctgan import CTGAN
    from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula
    from synthgen_ray.synthesizers.tvae import TVAE

__all__ = ["CTGAN", "TVAE", "CopulaGAN", "GaussianCopula", "load"]


def __getattr__(name: str) -> Any:
    base = import_module(f"{__name__}.base")
    if name == "load":
        return base.load
    for model_type, its_name in base.CLASSES.items():
        if its_name == name:
            return base.synthesizer_class(model_type)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
