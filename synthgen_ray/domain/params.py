"""What a caller may ask for: training options per model type, rows to generate, conditions.

One class is the request body, the JSON in a `config` column and the worker's argument.
Options and defaults of the GAN and VAE types are those of the `ctgan` package.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import (
    AllowInfNan,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

MAX_ROWS = 10_000_000
MAX_CONDITIONS = 100
MAX_ANY_OF = 1000  # values of a condition
MAX_VALUES = 10_000  # of all conditions
CSV_SAFE = "Of a CSV: put `'` before text that a spreadsheet would take for a formula."


class ModelType(StrEnum):
    CTGAN = "ctgan"
    COPULAGAN = "copulagan"
    TVAE = "tvae"
    GAUSSIAN_COPULA = "gaussian_copula"


class Params(BaseModel):
    """What is unknown, of the wrong type or out of range is refused, never coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
LearningRate = Annotated[float, Field(gt=0, le=1)]
Decay = Annotated[float, Field(ge=0, le=1)]
Layers = Annotated[list[Annotated[int, Field(ge=1, le=2048)]], Field(min_length=1, max_length=8)]
Width = Annotated[int, Field(ge=1, le=2048)]


REFINE = (
    "Learn the dependencies between the columns once more, and redraw each cell given the rest of its row: closer to"
    " the table, some seconds more of training, and up to twice the time for a row"
)


class TrainParams(Params):
    """What every model type takes."""

    is_shared: ClassVar[bool] = False  # several workers train one model together

    seed: Seed | None = Field(
        None, description="Random seed: the same seed and table give the same model. `random_state` is a synonym."
    )
    max_training_seconds: float | None = Field(
        None, gt=0, le=7 * 86_400, description="Stop training cleanly after so many seconds and keep the model."
    )
    holdout_fraction: float | None = Field(
        None,
        ge=0,
        le=0.5,
        description="Share of the rows that training never sees, kept for the quality report; null is 0.1, and 0 of a"
        " table under 1,000 rows.",
    )
    min_category_count: int = Field(
        5,
        ge=1,
        le=1000,
        description="Categories held by fewer rows are replaced before training and never appear; 1 keeps all.",
    )
    refine: bool = Field(True, description=f"{REFINE}.")
    max_categories: int = Field(
        1000, ge=2, le=10_000, description="Most frequent categories of a column that are learnt one by one."
    )

    @model_validator(mode="before")
    @classmethod
    def _random_state_is_seed(cls, options: Any) -> Any:
        if isinstance(options, dict) and "random_state" in options:
            if "seed" in options:
                raise PydanticCustomError("duplicate_option", "seed and random_state are one option: give one of them")
            options = dict(options)
            options["seed"] = options.pop("random_state")
        return options


Family = Literal["beta", "gamma", "norm", "truncnorm", "uniform"]


class GaussianCopulaParams(TrainParams):
    refine: bool = Field(False, description=f"{REFINE} (for this type, up to twelve times).")
    marginals: Literal["empirical"] | Family = Field(
        "empirical",
        description="Distribution of each column of numbers: as in the table, or one of the families of the `copulas`"
        " package fitted to it, whose shape rows then keep (so they cannot be refined).",
    )

    @model_validator(mode="after")
    def _a_family_keeps_its_shape(self) -> Self:
        if self.refine and self.marginals != "empirical":
            raise PydanticCustomError(
                "refine_needs_empirical_marginals", "refine goes with empirical marginals only: leave one of them out"
            )
        return self


EARLY_STOP = (
    "End before the last epoch once generated rows have come no closer to the table for 2,500 batches and five epochs."
)


class NeuralParams(TrainParams):
    """What the types trained by gradient descent share."""

    is_shared: ClassVar[bool] = True

    epochs: int = Field(300, ge=1, le=10_000, description="Training epochs, at most.")
    batch_size: int = Field(500, ge=10, le=10_000, description="Training batch size, over all workers.")
    early_stop: bool = Field(False, description=EARLY_STOP)
    precision: Literal["fp32", "bf16", "auto"] = Field(
        "fp32",
        description="Of training's matrix products, and of sampling's where `quantize` is false: bf16 is faster where"
        " the processor or GPU has units for it, and rows differ a little; auto is bf16 there and fp32 elsewhere.",
    )
    quantize: bool = Field(
        True,
        description="Draw rows by products of whole numbers of 8 bits, which is half again as fast on processors with"
        " units for them. False draws them by floats, as `precision` says.",
    )
    calibrate: bool = Field(True, description="After training, make every column's own distribution that of the table.")


class CTGANParams(NeuralParams):
    embedding_dim: Width = Field(128, description="Dimensionality of the data embeddings (the noise vector).")
    generator_dim: Layers = Field([256, 256], description="Hidden layer sizes of the generator.")
    discriminator_dim: Layers = Field([256, 256], description="Hidden layer sizes of the discriminator.")
    pac: int = Field(10, ge=1, le=100, description="Packing size; must evenly divide `batch_size`.")
    generator_lr: LearningRate = Field(2e-4, description="Learning rate of the generator.")
    generator_decay: Decay = Field(1e-6, description="Weight decay of the generator.")
    discriminator_lr: LearningRate = Field(2e-4, description="Learning rate of the discriminator.")
    discriminator_decay: Decay = Field(1e-6, description="Weight decay of the discriminator.")
    discriminator_steps: int = Field(1, ge=1, le=100, description="Discriminator steps per generator step.")
    log_frequency: bool = Field(
        True, description="Draw training conditions by the logarithm of a category's frequency."
    )
    compile: bool = Field(
        False,
        description="Compile the discriminator's step, which saves little where products of matrices take most of it."
        " The first one waits up to a minute for the compiler; without one on the machine it changes nothing.",
    )
    embed_above: int | None = Field(
        None,
        ge=2,
        le=10_000,
        description="Columns of more categories are 64 numbers to the networks instead of one for each category, which"
        " makes columns of thousands faster to learn; null is for none.",
    )
    sampling: Literal["true_frequency", "ctgan"] = Field(
        "true_frequency",
        description="How rows are drawn: from the categories' true frequencies, or as the `ctgan` package does it"
        " (training frequencies, statistics of the batch, all epochs, neither calibrated nor refined): to compare.",
    )

    @model_validator(mode="after")
    def _batches_hold_whole_packs(self) -> Self:
        if self.batch_size % self.pac:
            raise PydanticCustomError(
                "pac_must_divide_batch_size",
                "pac ({pac}) must evenly divide batch_size ({batch_size})",
                {"pac": self.pac, "batch_size": self.batch_size},
            )
        if self.batch_size % 2:
            raise PydanticCustomError("must_be_even", "batch_size must be even")
        return self

    @model_validator(mode="after")
    def _ctgans_way_is_one_hot(self) -> Self:
        if self.embed_above is not None and self.sampling == "ctgan":
            raise PydanticCustomError(
                "embed_above_needs_true_frequency",
                "embed_above goes with sampling 'true_frequency' only: the `ctgan` package has no embeddings",
            )
        return self


class CopulaGANParams(CTGANParams):
    """CTGAN's options: CopulaGAN is CTGAN on columns made Gaussian by their marginals."""


class TVAEParams(NeuralParams):
    early_stop: bool = Field(True, description=EARLY_STOP)
    embedding_dim: Width = Field(128, description="Dimensionality of the data embeddings (the latent).")
    compress_dims: Layers = Field([128, 128], description="Hidden layer sizes of the encoder.")
    decompress_dims: Layers = Field([128, 128], description="Hidden layer sizes of the decoder.")
    l2scale: float = Field(1e-5, ge=0, le=1, description="Weight decay.")
    loss_factor: float = Field(2, gt=0, le=1000, description="Weight of the reconstruction loss.")


TRAIN_PARAMS: dict[ModelType, type[TrainParams]] = {
    ModelType.CTGAN: CTGANParams,
    ModelType.COPULAGAN: CopulaGANParams,
    ModelType.TVAE: TVAEParams,
    ModelType.GAUSSIAN_COPULA: GaussianCopulaParams,
}


class Resources(Params):
    """How much of the cluster a training may use."""

    num_workers: int | None = Field(None, ge=1, le=1024, description="Training workers; null for the server's default.")
    use_gpu: bool | None = Field(None, description="One GPU a worker; by default when the cluster has enough of them.")


class OutputFormat(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"


StrictScalar = StrictBool | StrictInt | Annotated[StrictFloat, AllowInfNan(False)] | StrictStr


class Range(Params):
    """A numeric or datetime column between two bounds, both included; one may be left open."""

    min: StrictScalar | None = None
    max: StrictScalar | None = None

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.min is None and self.max is None:
            raise PydanticCustomError("missing_field", "give min, max or both")
        return self


# The first fault is all that is told of it, and each value has one for every kind that it is not.
AnyOf = Annotated[list[StrictScalar | None], Field(min_length=1, max_length=MAX_ANY_OF, fail_fast=True)]
# A value, null for a missing one, any of several values, or a range.
Condition = StrictScalar | None | AnyOf | Range

Share = Annotated[float, Field(strict=True, ge=0, le=1)]


def _or_null(schema: dict[str, Any]) -> None:
    """Null is taken for what asks for nothing."""
    about = ("title", "description", "default")
    kind: Any = {name: schema.pop(name) for name in list(schema) if name not in about}
    schema["anyOf"] = [kind, {"type": "null"}]


class DrawParams(Params):
    """How many rows, from which seed, under which conditions."""

    num_rows: int = Field(1000, ge=1, le=MAX_ROWS, description="Rows to generate.")
    seed: Seed | None = Field(None, description="The same seed gives the same rows.")
    conditions: dict[str, Condition] = Field(
        {},
        max_length=MAX_CONDITIONS,
        json_schema_extra=_or_null,
        description="Column to value, list of values, `{min, max}` or null: what every row must have.",
    )
    distribution: dict[str, dict[str, Share]] = Field(
        {},
        max_length=1,
        json_schema_extra=_or_null,
        description="Shares of the values of one categorical column, for rebalancing; they add up to 1.",
    )

    @model_validator(mode="before")
    @classmethod
    def _null_asks_for_nothing(cls, body: Any) -> Any:
        if isinstance(body, Mapping):
            return {k: v for k, v in body.items() if not (v is None and k in ("conditions", "distribution"))}
        return body

    @model_validator(mode="after")
    def _values_are_few(self) -> Self:
        if sum(len(asked) for asked in self.conditions.values() if isinstance(asked, list)) > MAX_VALUES:
            raise PydanticCustomError(
                "too_many_values", "all conditions together may list {most} values", {"most": f"{MAX_VALUES:,}"}
            )
        return self

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        for column, shares in self.distribution.items():
            if column in self.conditions:
                raise PydanticCustomError(
                    "conflicting_conditions", "a column has either a condition or a distribution, not both"
                )
            if abs(sum(shares.values()) - 1) > 1e-6:
                raise PydanticCustomError("shares_must_add_up", "the shares of a distribution must add up to 1")
        return self


class FileParams(Params):
    """What rows are written as."""

    format: Literal["csv", "parquet", "jsonl"] = Field("csv", description="Format of the output file.")
    csv_safe: bool = Field(False, description=CSV_SAFE)

    @model_validator(mode="after")
    def _only_csv_is_made_safe(self) -> Self:
        if self.csv_safe and self.format != "csv":
            raise PydanticCustomError("csv_safe_needs_csv", "csv_safe is for format csv: the others hold no formulas")
        return self


class GenerateParams(FileParams, DrawParams):
    """And in which format: what a generation is made of."""


class ImputeParams(FileParams):
    """A table to fill, by its dataset version."""

    dataset_version_id: UUID = Field(strict=False, description="The table whose missing cells are to be filled.")
    seed: Seed | None = Field(None, description="The same seed fills in the same values.")


class SampleParams(DrawParams):
    """Rows that come with the answer; in which format is negotiated."""

    num_rows: int = Field(100, ge=1, le=MAX_ROWS, description="Rows to draw.")
    csv_safe: bool = Field(False, description=CSV_SAFE)


class SampleFormat(StrEnum):
    """What rows may come as, in the order of preference of one who does not care."""

    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"
