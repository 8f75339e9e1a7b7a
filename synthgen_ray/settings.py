"""What the operator may change. Environment over file over default; read at the rim, passed down.

`SYNTHGEN_PORT=9000` sets `port`, `SYNTHGEN_TRAINING__NUM_WORKERS=2` sets `training.num_workers`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from synthgen_ray.domain.lifecycle import DEADLINES, JobType

SQLITE = "sqlite+aiosqlite:///"
DATABASES = ("postgresql://", "postgres://", "postgresql+asyncpg://", SQLITE)
_BUCKET = r"[a-z0-9._-]+(/[A-Za-z0-9._/-]*)?"
_S3_OPTIONS = r"([?](&?(region|scheme|endpoint_override)=[A-Za-z0-9.:-]+)+)?"
HOST = re.compile(r"\*|[A-Za-z0-9._-]*[A-Za-z0-9_-]|\[?[0-9A-Fa-f:.]+\]?")
Port = Annotated[int, Field(ge=1, le=65535)]
# A century at most: of what is much longer no date can be told, and null is for ever.
Days = Annotated[float, Field(gt=0, le=36_500)]
Deadline = Annotated[int, Field(ge=1, le=36_500 * 86_400)]  # in seconds
OF_COMMANDS = {"SYNTHGEN_URL", "SYNTHGEN_API_KEY"}
# What Kubernetes tells of a service that is called like us, with its value.
OF_KUBERNETES = re.compile(r"SYNTHGEN_\w*_(SERVICE_(HOST|PORT\w*)|PORT_\d+_(TCP|UDP|SCTP)\w*|PORT=\w+:/)")
ARTIFACTS_URL = rf"^(file:///[^?#]*|gs://{_BUCKET}|s3://{_BUCKET}{_S3_OPTIONS})$"


class LogFormat(StrEnum):
    JSON = "json"  # an object a line, for machines
    TEXT = "text"  # for people


class Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IngressSettings(Group):
    replicas: int = Field(1, ge=1, description="Processes that answer HTTP.")
    num_cpus: float = Field(0.1, ge=0, description="CPUs that Ray keeps for each.")


class SamplerSettings(Group):
    min_replicas: int = Field(0, ge=0, description="Processes that keep trained models in memory, when idle.")
    max_replicas: int = Field(1, ge=1, description="And at most, when there is much to draw.")
    idle_s: float = Field(600, ge=0, description="Seconds without work until one ends.")
    num_cpus: float = Field(0.4, ge=0, description="CPUs that Ray keeps for each.")
    num_gpus: float = Field(0, ge=0, description="GPUs for each, or the share of one; 0 draws on CPUs.")
    threads: int | None = Field(
        None, ge=1, description="Samplings at a time in each, a CPU's work; null for as many as its node has CPUs."
    )
    max_rows: int = Field(100_000, ge=1, description="Rows that come with an answer; more are generated as a file.")
    max_queued: int = Field(
        200,
        ge=1,
        description="Chunks of rows that an ingress asks of them at a time: beyond it who asks anew is answered 503."
        " Jobs and answers that have begun wait.",
    )
    models_mb: int = Field(
        512,
        ge=1,
        description="MiB of models that each keeps, by the sizes of their files; in memory up to four times as much.",
    )


class TrainingSettings(Group):
    max_running: int = Field(1, ge=1, description="Trainings at a time, where CPUs are free; the others wait.")
    num_workers: int = Field(1, ge=1, description="Workers of a training that does not say how many.")
    max_workers: int | None = Field(
        None, ge=1, description="Workers that a training may ask for; null for what fits the cluster as it is."
    )
    cpus_per_worker: int = Field(1, ge=1, description="CPUs, and so threads, of a worker.")
    deadline_s: Deadline = Field(6 * 3600, description="Seconds after which a training that has not ended fails.")
    checkpoint_seconds: float = Field(
        60, ge=0, description="Seconds between checkpoints, from which a training goes on after a loss; 0 makes none."
    )


class GenerationSettings(Group):
    max_running: int = Field(4, ge=1, description="Generations at a time; the others wait in the queue.")
    max_parts: int | None = Field(
        None,
        ge=1,
        description="Parts of one generation that the samplers have at a time; null for as many as they draw at once,"
        " and one more for each.",
    )
    max_rows_by_samplers: int = Field(
        5_000_000, ge=1, description="Rows that the samplers make; more are made by Ray Data, on all of the cluster."
    )
    deadline_s: Deadline = Field(6 * 3600, description="Seconds after which a generation that has not ended fails.")


class ReportSettings(Group):
    max_running: int = Field(1, ge=1, description="Reports at a time, where a CPU is free; the others wait.")
    deadline_s: Deadline = Field(6 * 3600, description="Seconds after which a report that has not ended fails.")


class UploadSettings(Group):
    max_bytes: int = Field(512 * 2**20, ge=1, description="Bytes of an uploaded file.")
    max_decoded_bytes: int = Field(2 * 2**30, ge=1, description="Bytes of it after decompression.")
    max_rows: int = Field(10_000_000, ge=1, description="Rows of an uploaded table.")
    max_columns: int = Field(1000, ge=1, description="Columns of an uploaded table.")
    max_running: int = Field(2, ge=1, description="Uploads that are converted at a time; the others wait.")
    max_memory_bytes: int = Field(6 * 2**30, ge=2**30, description="Addresses of a process that converts one.")
    max_cpu_seconds: int = Field(60, ge=1, description="Its seconds of computing.")
    min_free_bytes: int = Field(2 * 2**30, ge=0, description="Bytes of the disk that stay free: else 507.")
    min_free_share: float = Field(0.05, ge=0, lt=1, description="Share of the disk that stays free: else 507.")


class QuotaSettings(Group):
    pending_jobs: int | None = Field(100, ge=1, description="Jobs of a project that wait in the queue.")
    storage_bytes: int | None = Field(None, ge=1, description="Bytes of a project's tables, models and outputs.")
    generated_rows: int | None = Field(None, ge=1, description="Rows that a project may generate in all.")
    training_seconds: float | None = Field(None, gt=0, description="Seconds that a project may train in all.")
    queue_length: int = Field(10_000, ge=1, description="Jobs of all projects that wait in the queue.")


class RetentionSettings(Group):
    outputs_days: Days | None = Field(7, description="Days that the rows of a generation are kept.")
    reports_days: Days | None = Field(None, description="Days that the files of a report are kept; its scores stay.")
    failed_jobs_days: Days | None = Field(30, description="Days that a failed generation or report is listed.")
    audit_days: Days | None = Field(400, description="Days that the audit trail goes back.")


class RateLimitSettings(Group):
    requests_per_second: float | None = Field(20, gt=0, description="Requests of one key, for each ingress process.")
    burst: int = Field(40, ge=1, description="Requests of one key that may come at once.")
    open_requests: int | None = Field(
        50, ge=1, description="Requests that are open at the same time, of one key or of all keys to one project."
    )
    event_streams: int | None = Field(10, ge=1, description="Streams of events that one key has open.")
    wrong_keys_per_minute: int | None = Field(5, ge=1, description="Unknown keys that one address may try.")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="SYNTHGEN_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
        hide_input_in_errors=True,  # it may be a key or a password
    )

    data_dir: Path = Field(Path("data"), description="Everything that must survive a restart.")
    host: str = Field("127.0.0.1", description="Address to listen on. Behind it stands no TLS: keep it on loopback.")
    allow_remote: bool = Field(False, description="Take a `host` that other machines reach; put a TLS proxy in front.")
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Names in the Host header beside `host` and the loopback ones; * allows all."
    )
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        (), description="Addresses and networks of the proxies in front, whose X-Forwarded-For is believed."
    )
    port: Port = Field(8888, description="Port of the REST API.")
    dashboard_port: Port | None = Field(8265, description="Port of the Ray dashboard; when taken or null, a free one.")
    metrics_port: Port | None = Field(
        None,
        description="Port of the metrics of a cluster started here, which Ray opens on loopback, and without a key; "
        "null takes a free one.",
    )
    log_format: LogFormat = Field(LogFormat.JSON, description="How the server and its processes write their logs.")
    address: str | None = Field(None, description="A running Ray cluster to join; null starts one here.")
    label_selector: dict[str, str] = Field(
        {}, description="Labels of the nodes for all that stays: ingress, samplers without a GPU, the metadata."
    )
    num_cpus: int | None = Field(None, ge=1, description="CPUs of a cluster started here; null takes all.")
    object_store_mb: int = Field(256, ge=80, description="Shared memory of a cluster started here, in MiB.")
    database_url: SecretStr | None = Field(
        None, description="Of the metadata, as postgresql://user:password@host/name; null keeps SQLite in data_dir."
    )
    artifacts_url: str | None = Field(
        None,
        pattern=ARTIFACTS_URL,
        description="Where tables, models and outputs are: file:///…, s3://…, gs://…, without credentials; null keeps "
        "them in data_dir.",
    )
    admin_key: SecretStr | None = Field(None, min_length=16, description="Admin key; null makes one at first.")
    docs: bool = Field(True, description="Serve /docs and /openapi.json without a key.")
    allowed_uris: tuple[str, ...] = Field((), description="Where versions may be fetched from: s3://bucket/tables/.")
    ingress: IngressSettings = IngressSettings()
    sampler: SamplerSettings = SamplerSettings()
    training: TrainingSettings = TrainingSettings()
    generation: GenerationSettings = GenerationSettings()
    reports: ReportSettings = ReportSettings()
    upload: UploadSettings = UploadSettings()
    quotas: QuotaSettings = QuotaSettings()
    retention: RetentionSettings = RetentionSettings()
    rate_limits: RateLimitSettings = RateLimitSettings()

    @field_validator("data_dir")
    @classmethod
    def _is_one_folder(cls, folder: Path) -> Path:
        """The same for all processes, wherever they work. No shell has seen what a file holds: it may be in a home."""
        try:
            return folder.expanduser().absolute()
        except RuntimeError as error:
            raise ValueError(f"{folder.parts[0]} is nobody's home") from error

    @field_validator("allowed_hosts")
    @classmethod
    def _are_names_alone(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(HOST.fullmatch(host) for host in hosts):  # it would never be that of a request
            raise ValueError("each is a name alone, without a scheme, a port or a path; * allows all")
        return hosts

    @field_validator("database_url")
    @classmethod
    def _is_of_a_database_that_we_speak(cls, secret: SecretStr | None) -> SecretStr | None:
        url = secret.get_secret_value() if secret else SQLITE
        if not url.startswith(DATABASES):
            raise ValueError(f"it begins with {' or '.join(DATABASES)}")
        # A password would end at its first such character, and the rest of it be taken for a host or a port.
        if not url.startswith(SQLITE) and re.search("//[^/?#]*[/?#].*@", url):
            raise ValueError("write / as %2F, ? as %3F and # as %23 in its password")
        return secret

    @model_validator(mode="after")
    def _has_ports_of_their_own(self) -> Self:
        if self.metrics_port == self.port:
            raise ValueError(f"metrics_port: {self.port} is the port of the API; choose another")
        return self

    @classmethod
    def load(cls, config: Path | None = None, **overrides: object) -> "Settings":
        """Settings from the environment, then the file, then the defaults; `overrides` win over all.

        Raises: pydantic's ValidationError; OSError, ValueError and yaml.YAMLError for the file.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        if config is None:
            return cls.model_validate(given)
        if not config.is_file():
            raise FileNotFoundError(f"There is no settings file {config}.")
        if not isinstance(yaml.safe_load(config.read_text()) or {}, dict):
            raise ValueError(f"{config} holds no settings; each is a line such as 'port: 9000'.")

        class FromFile(Settings):
            model_config = SettingsConfigDict(yaml_file=config)

            @classmethod
            def settings_customise_sources(
                cls,
                settings_cls: type[BaseSettings],
                init_settings: PydanticBaseSettingsSource,
                env_settings: PydanticBaseSettingsSource,
                dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
                file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            ) -> tuple[PydanticBaseSettingsSource, ...]:
                return init_settings, env_settings, YamlConfigSettingsSource(settings_cls)

        return cls.model_validate(FromFile.model_validate(given).model_dump())

    def to_json(self) -> str:
        """All of it with its secrets in the clear, for the pipe to a process of ours."""
        secrets = {"admin_key": self.admin_key, "database_url": self.database_url}
        plain = {name: secret.get_secret_value() for name, secret in secrets.items() if secret is not None}
        return json.dumps({**self.model_dump(mode="json"), **plain})

    @property
    def deadlines(self) -> dict[JobType, timedelta]:
        return {
            **DEADLINES,
            JobType.TRAIN: timedelta(seconds=self.training.deadline_s),
            JobType.GENERATE: timedelta(seconds=self.generation.deadline_s),
            JobType.REPORT: timedelta(seconds=self.reports.deadline_s),
        }

    @property
    def own_database(self) -> Path | None:
        """The file in the data directory; `None` where `database_url` names another database."""
        return None if self.database_url else self.data_dir / "synthgen.db"

    @property
    def sql_url(self) -> SecretStr:
        if self.database_url:
            return self.database_url
        path = str(self.own_database).replace("%", "%25").replace("?", "%3F")  # all that means more in such a URL
        return SecretStr(f"{SQLITE}{path}")

    @property
    def keeps_sqlite(self) -> bool:
        """In a file, which one machine alone can open."""
        return self.sql_url.get_secret_value().startswith(SQLITE)

    @property
    def may_share_scratch(self) -> bool:
        """Whether another server may write its temporary files where this one does: beside artifacts in a directory
        that was named. A data directory with SQLite in it has one server."""
        return not self.keeps_sqlite or (self.artifacts_url or "").startswith("file:")


def unread(environment: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each variable that begins like a setting's and is read by nothing: most are slips of the pen."""
    alone, nested = set(OF_COMMANDS), set()
    for name, field in Settings.model_fields.items():
        alone.add(f"SYNTHGEN_{name}".upper())
        if isinstance(field.default, Group):
            nested |= {f"SYNTHGEN_{name}__{one}".upper() for one in type(field.default).model_fields}
    groups = {name.rpartition("__")[0] for name in nested}
    for name, value in sorted(environment.items()):
        known = name.upper()  # in which case does not matter
        is_kubernetes = OF_KUBERNETES.match(f"{known}={value}")
        is_nested = known.partition("__")[0] in groups  # of these a wrong one is refused
        if not known.startswith("SYNTHGEN_") or known in alone or is_nested or is_kubernetes:
            continue
        meant = get_close_matches(known, [*alone, *nested], 1)
        yield f"{name} is no setting, and read by nothing" + (f": {meant[0]} is meant?" if meant else ".")
