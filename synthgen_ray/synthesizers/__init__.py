"""The mathematics: table in, table out. Read `base`, `codec`, `gaussian_copula`, `ctgan`, `tvae`, then `conditions`.

The names below load on first use: a process that only passes models on never imports torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthgen_ray.synthesizers.base import load
    from synthgen_ray.synthesizers.copulagan import CopulaGAN
    from synthgen_ray.synthesizers.ctgan import CTGAN
    from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula
    from synthgen_ray.synthesizers.tvae import TVAE

__all__ = ["CTGAN", "TVAE", "CopulaGAN", "GaussianCopula", "load"]

_HOMES = {
    "CTGAN": "ctgan",
    "TVAE": "tvae",
    "CopulaGAN": "copulagan",
    "GaussianCopula": "gaussian_copula",
    "load": "base",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
