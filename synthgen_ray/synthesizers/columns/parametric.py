"""A column's marginal as one of the families of the `copulas` package: a few numbers instead of knots."""

import warnings
from functools import cached_property
from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator
from scipy.special import ndtr, ndtri

from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.domain.params import Family
from synthgen_ray.synthesizers.columns.marginal import FAR, NormalMap

SHAPES: dict[Family, set[str]] = {
    "beta": {"a", "b"},
    "gamma": {"a"},
    "norm": set(),
    "truncnorm": {"a", "b"},
    "uniform": set(),
}
FITTED = {
    "beta": "BetaUnivariate",
    "gamma": "GammaUnivariate",
    "norm": "GaussianUnivariate",
    "truncnorm": "TruncatedGaussian",
    "uniform": "UniformUnivariate",
}
MOST_ROWS = 10_000  # evenly through the sorted rows: more say no more of four numbers
KNOTS = 4097
NEAR = float(-ndtri(np.finfo(np.float32).eps))  # no training row is further out, as in `copulas`


class Parametric(NormalMap):
    """`parameters` are scipy's: loc, scale and the family's shapes; a scale of 0 is a single value."""

    family: Family
    parameters: dict[str, float]
    grain: float = Field(ge=0)  # of the grid that the column's numbers are rounded to; 0 if they are not

    @model_validator(mode="after")
    def _is_of_its_family(self) -> Self:
        if self.parameters.keys() != SHAPES[self.family] | {"loc", "scale"} or self.parameters["scale"] < 0:
            raise ValueError("parameters are not the family's")
        if not np.isfinite(self.x).all():
            raise ValueError("parameters give no numbers")
        return self

    @classmethod
    def learn(cls, name: str, family: Family, ordered: np.ndarray, grain: float) -> Self:
        """From a column's rising numbers, the outermost of which are means of k rows.

        Raises: InvalidTable, if the family cannot be fitted.
        """
        some = ordered[np.linspace(0, len(ordered) - 1, min(len(ordered), MOST_ROWS)).round().astype(int)]
        low, size = float(some[0]), float(some[-1] - some[0])
        if size == 0:
            return cls(
                family=family, parameters=dict.fromkeys(SHAPES[family], 1.0) | {"loc": low, "scale": 0.0}, grain=0
            )
        unit = size * float(((some - low) / size).std())
        try:
            fitted = _fitted(family, (some - low) / unit)
            parameters = fitted | {"loc": low + unit * fitted["loc"], "scale": unit * fitted["scale"]}
            return cls(family=family, parameters=parameters, grain=grain)
        except (ValueError, RuntimeError) as error:
            reason = f"Column {name!r}: no {family} distribution fits its numbers; choose other marginals."
            raise InvalidTable(reason, "marginal_not_fitted") from error

    def _ends(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A rounded number may have been anything in its cell of the grid."""
        half = self.grain / 2
        low, high = np.clip([self.span(numbers - half)[0], self.span(numbers + half)[1]], -NEAR, NEAR)
        return low, high

    def atoms(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """None: a family spreads what many rows share over what is near it."""
        return np.zeros(0), np.zeros(0), np.zeros(0)

    @cached_property
    def z(self) -> np.ndarray:
        return np.linspace(-FAR, FAR, KNOTS)

    @cached_property
    def x(self) -> np.ndarray:
        if self.parameters["scale"] == 0:
            return np.full(KNOTS, self.parameters["loc"])
        from scipy import stats  # slow to load, and few models need it

        distribution = getattr(stats, self.family)(**self.parameters)
        lower, upper = distribution.ppf(ndtr(self.z)), distribution.isf(ndtr(-self.z))  # each tail keeps its digits
        return np.asarray(np.maximum.accumulate(np.where(self.z < 0, lower, upper)))


def _fitted(family: Family, numbers: np.ndarray) -> dict[str, float]:
    from copulas import univariate  # slow to load: brings pandas

    model: Any = getattr(univariate, FITTED[family])()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of the optimiser, on its way; where it ends is checked
        model.fit(numbers)
    return {name: float(value) for name, value in model._get_params().items()}
