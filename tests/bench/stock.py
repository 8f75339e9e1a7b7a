"""The other side: what the packages that the models come from give their users, with their defaults."""

import time
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, Self
from unittest.mock import patch

import pandas as pd
from copulas.multivariate import GaussianMultivariate
from copulas.univariate import BetaUnivariate
from ctgan import CTGAN, TVAE
from rdt.transformers import UniformEncoder

from synthgen_ray.domain.params import ModelType


class Stock(Protocol):
    def fit(self, train: pd.DataFrame) -> Self: ...

    def sample(self, rows: int) -> pd.DataFrame: ...


class StockNetwork:
    """CTGAN and TVAE of the `ctgan` package."""

    epoch_s: list[float]  # of the last fit

    def __init__(self, kind: type[CTGAN] | type[TVAE], epochs: int) -> None:
        self.network = kind(epochs=epochs)
        self._module = kind.__module__

    def fit(self, train: pd.DataFrame) -> Self:
        self.epoch_s = []
        # Its progress bar is the only sign of where an epoch ends.
        with patch(f"{self._module}.tqdm", lambda epochs, **_: self._clocked(epochs)):
            self.network.fit(train, discrete_columns(train))
        return self

    def sample(self, rows: int) -> pd.DataFrame:
        sampled: pd.DataFrame = self.network.sample(rows)
        return sampled

    def sample_towards(self, rows: int, column: str, value: str) -> pd.DataFrame:
        """Rows that are likelier to have the value."""
        sampled: pd.DataFrame = self.network.sample(rows, condition_column=column, condition_value=value)
        return sampled

    def _clocked(self, epochs: Iterable[int]) -> Iterator[int]:
        for epoch in epochs:
            started = time.perf_counter()
            yield epoch
            self.epoch_s.append(time.perf_counter() - started)


class StockCopula:
    """The Gaussian copula of `copulas` as SDV uses it: beta marginals, categories made uniform by `rdt`."""

    def fit(self, train: pd.DataFrame) -> Self:
        self._encoders = {name: UniformEncoder() for name in discrete_columns(train)}
        numbers = train.copy()
        for name, encoder in self._encoders.items():
            encoder.fit(numbers, name)
            numbers = encoder.transform(numbers)
        # Left to choose among its marginals, copulas takes minutes.
        self._copula = GaussianMultivariate(distribution=BetaUnivariate)
        self._copula.fit(numbers.astype(float))
        return self

    def sample(self, rows: int) -> pd.DataFrame:
        sampled: pd.DataFrame = self._copula.sample(rows)
        for encoder in self._encoders.values():
            sampled = encoder.reverse_transform(sampled)
        return sampled


class StockTVAE(StockNetwork):
    """It takes no conditions."""

    def sample_towards(self, rows: int, column: str, value: str) -> pd.DataFrame:
        return self.sample(rows)


def given_stock(model_type: ModelType, epochs: int) -> Any:
    if model_type is ModelType.GAUSSIAN_COPULA:
        return StockCopula()
    return StockNetwork(CTGAN, epochs) if model_type is ModelType.CTGAN else StockTVAE(TVAE, epochs)


def discrete_columns(table: pd.DataFrame) -> list[str]:
    return [name for name in table if table[name].dtype.kind in "Ob"]
