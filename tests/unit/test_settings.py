from dataclasses import asdict
from pathlib import Path

import pytest
import typer
import yaml
from pydantic import ValidationError

from synthgen_ray.api.rate_limits import RateLimits
from synthgen_ray.artifacts import open_artifacts
from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.operating.settings import load_settings
from synthgen_ray.settings import QuotaSettings, RateLimitSettings, Settings, UploadSettings, unread
from synthgen_ray.store.migrating import migrate

SECRET = "secret-of-sixteen"
POSTGRES = f"postgresql://synthgen:{SECRET}@db.example.com/synthgen"
CONFIGS = Path(__file__).parents[2] / "configs"


def test_default_yaml_names_every_setting_with_its_default():
    written = yaml.safe_load((CONFIGS / "default.yaml").read_text())

    assert written == {**Settings().model_dump(mode="json"), "data_dir": "data"}  # which becomes one that is absolute


@pytest.mark.parametrize(
    ("settings", "limits"),
    [(QuotaSettings(), Quotas()), (RateLimitSettings(), RateLimits()), (UploadSettings(), UploadLimits())],
    ids=lambda group: type(group).__name__,
)
def test_what_is_limited_without_settings_is_limited_as_by_their_defaults(settings, limits):
    assert settings.model_dump().items() <= asdict(limits).items()


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.name)
def test_every_configuration_loads(file):
    assert Settings.load(file).port == 8888


def test_environment_wins_over_file_and_flags_over_both(tmp_path, monkeypatch):
    file = tmp_path / "settings.yaml"
    file.write_text("port: 1111\nhost: 127.0.0.2\ntraining: {num_workers: 3}\n")
    monkeypatch.setenv("SYNTHGEN_PORT", "2222")
    monkeypatch.setenv("SYNTHGEN_TRAINING__MAX_RUNNING", "5")

    settings = Settings.load(file, host="127.0.0.3")

    assert (settings.host, settings.port) == ("127.0.0.3", 2222)
    assert (settings.training.num_workers, settings.training.max_running) == (3, 5)


@pytest.mark.parametrize("given", [{}, {"data_dir": "data"}], ids=["by default", "as it is given"])
def test_the_data_directory_is_the_same_for_processes_that_work_elsewhere(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    settings = Settings(**given)

    monkeypatch.chdir("/")  # as those of a cluster that was started there

    assert settings.data_dir == Settings.model_validate_json(settings.to_json()).data_dir == tmp_path / "data"
    assert open_artifacts(None, settings.data_dir).uri("jobs") == str(tmp_path / "data" / "artifacts" / "jobs")


def test_the_data_directory_may_be_in_a_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / "settings.yaml"
    file.write_text("data_dir: ~/of-file\n")

    assert Settings.load(file).data_dir == tmp_path / "of-file"
    monkeypatch.setenv("SYNTHGEN_DATA_DIR", "~/of-environment")
    assert Settings.load().data_dir == tmp_path / "of-environment"
    with pytest.raises(ValidationError, match="~nobody-of-this-name is nobody's home"):
        Settings(data_dir="~nobody-of-this-name/data")


@pytest.mark.parametrize(
    "settings",
    [
        {"dashboard_port": 99_999},
        {"retention": {"outputs_days": 1_000_000}},
        {"retention": {"audit_days": float("inf")}},
        {"training": {"deadline_s": 10**12}},
    ],
)
def test_what_no_port_or_date_can_be_is_refused_before_anything_starts(settings):
    with pytest.raises(ValidationError, match="less than or equal"):
        Settings(**settings)


def test_a_proxy_is_an_address_or_a_network(monkeypatch):
    monkeypatch.setenv("SYNTHGEN_TRUSTED_PROXIES", '["127.0.0.1", "10.0.0.0/8", "fd00::/8"]')

    assert [str(one) for one in Settings.load().trusted_proxies] == ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]
    for wrong in ("proxy.example.com", "10.0.0.1/8", ""):
        with pytest.raises(ValidationError):
            Settings(trusted_proxies=[wrong])


def test_an_allowed_host_is_a_name_alone():
    hosts = ("synthgen.example.com", "synthgen-serve-svc", "10.0.0.7", "[fd00::7]", "fd00::7", "*")

    assert Settings(allowed_hosts=hosts).allowed_hosts == hosts
    for wrong in (
        "https://synthgen.example.com",
        "synthgen.example.com:8443",
        "*.example.com",
        "example.com.",
        "a/b",
        "",
    ):
        with pytest.raises(ValidationError, match="a name alone"):
            Settings(allowed_hosts=[wrong])


def test_a_misspelt_setting_is_refused(tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text("prot: 1111\n")

    with pytest.raises(ValidationError, match="prot"):
        Settings.load(file)


@pytest.mark.parametrize(
    "content", ["port: [8888", "port: \t8888: 1", "- port", "prot: 1", "port: x", "3", "port 9000"]
)
def test_a_command_refuses_a_file_that_is_none_of_settings(tmp_path, capsys, content):
    file = tmp_path / "settings.yaml"
    file.write_text(content)

    with pytest.raises(typer.Exit) as refused:
        load_settings(file)

    assert refused.value.exit_code == 2
    assert "the settings do not fit" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "ALLOWED_HOSTS",
            "a.example.com",
            'allowed_hosts: in the environment it is JSON, a list of names ["one", "two"]',
        ),
        ("TRAINING__MAX_RUNNING", "0", "training.max_running: Input should be greater than or equal to 1"),
        ("DATABASE_URL", "mysql://db", "database_url: it begins with postgresql://"),
        ("METRICS_PORT", "8888", "metrics_port: 8888 is the port of the API"),
    ],
)
def test_a_setting_that_does_not_fit_is_told_in_a_line(capsys, monkeypatch, name, value, said):
    monkeypatch.setenv(f"SYNTHGEN_{name}", value)

    with pytest.raises(typer.Exit):
        load_settings(None)

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"synthgen: the settings do not fit: {said}")


def test_a_child_process_is_told_everything():
    settings = Settings(
        admin_key=SECRET, database_url=POSTGRES, port=1234, training={"num_workers": 3}, trusted_proxies=["::1"]
    )

    assert Settings.model_validate_json(settings.to_json()) == settings


def test_secrets_are_not_printed():
    settings = Settings(admin_key=SECRET, database_url=POSTGRES)

    assert SECRET not in f"{settings!r} {settings.sql_url!r}"


@pytest.mark.parametrize(
    "url",
    [
        POSTGRES,
        POSTGRES.replace("ql", ""),
        POSTGRES.replace("ql", "ql+asyncpg"),
        f"postgresql://synthgen:a[{SECRET}]b@[::1]:5432/synthgen",
        None,
    ],
)
def test_databases_that_we_speak_are_taken(url):
    assert Settings(database_url=url).keeps_sqlite == (url is None)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"mysql://synthgen:{SECRET}@db/synthgen", "it begins with postgresql://"),
        (f"postgresql+psycopg2://synthgen:{SECRET}@db/synthgen", "it begins with postgresql://"),
        (f"postgresql://synthgen:{SECRET}/word@db/synthgen", "write / as %2F"),
        (f"postgresql://synthgen:{SECRET}#word@db/synthgen", "# as %23"),
    ],
)
def test_an_address_that_cannot_be_a_databases_is_refused_and_not_repeated(url, why, monkeypatch):
    monkeypatch.setenv("SYNTHGEN_DATABASE_URL", url)

    with pytest.raises(ValidationError, match=why) as refusal:
        Settings.load()

    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("name", ["what?", "my%20data", "50%", "a#b", "Bänk & Co"])
async def test_the_database_is_in_the_data_directory_however_that_is_called(name, tmp_path):
    settings = Settings(data_dir=tmp_path / name)
    settings.data_dir.mkdir()

    await migrate(settings.sql_url.get_secret_value())

    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert settings.own_database.exists()


def test_the_admin_key_is_not_printed():
    assert "secret-of-sixteen" not in repr(Settings(admin_key="secret-of-sixteen"))


@pytest.mark.parametrize(
    "url",
    [
        "file:///mnt/shared/synthgen",
        "s3://bucket",
        "s3://bucket/some/prefix?region=eu-west-1",
        "s3://bucket/prefix?endpoint_override=127.0.0.1:9000&scheme=http",
        "gs://bucket/prefix",
    ],
)
def test_artifacts_may_be_at_a_url(url):
    assert Settings(artifacts_url=url).artifacts_url == url


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKIDOFSOMEBODY:secret-of-somebody@bucket/prefix",
        "s3:///prefix",
        "s3://bucket?request_timeout=1",
        "https://bucket.s3.amazonaws.com/prefix",
        "file:///mnt/shared#1",
        "/mnt/shared",
    ],
)
def test_a_url_that_is_none_of_artifacts_is_refused_and_not_repeated(url):
    with pytest.raises(ValidationError, match="artifacts_url") as refused:
        Settings(artifacts_url=url)

    assert url not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SYNTHGEN_PROT", "SYNTHGEN_PORT"),
        ("SYNTHGEN_TRAINING_NUM_WORKERS", "SYNTHGEN_TRAINING__NUM_WORKERS"),
        ("SYNTHGEN_DASHBORD_PORT", "SYNTHGEN_DASHBOARD_PORT"),
        ("synthgen_data_dri", "SYNTHGEN_DATA_DIR"),
        ("SYNTHGEN_APIKEY", "SYNTHGEN_API_KEY"),
    ],
)
def test_a_variable_that_sets_nothing_is_named_with_what_was_meant(name, meant):
    (said,) = unread({name: "9", "PATH": "/bin"})

    assert said == f"{name} is no setting, and read by nothing: {meant} is meant?"


def test_all_that_is_read_is_known_and_so_is_what_kubernetes_sets():
    settings = [f"SYNTHGEN_{name}".upper() for name in Settings.model_fields]
    others = ["synthgen_port", "SYNTHGEN_TRAINING__NUM_WORKERS", "SYNTHGEN_URL", "SYNTHGEN_API_KEY"]
    services = {
        "SYNTHGEN_HEAD_SVC_SERVICE_HOST": "10.0.0.1",
        "SYNTHGEN_HEAD_SVC_SERVICE_PORT_SERVE": "8888",
        "SYNTHGEN_HEAD_SVC_PORT": "tcp://10.0.0.1:8888",
        "SYNTHGEN_HEAD_SVC_PORT_8888_TCP": "tcp://10.0.0.1:8888",
        "SYNTHGEN_HEAD_SVC_PORT_8888_TCP_PROTO": "tcp",
        "SYNTHGEN_HEAD_SVC_PORT_8888_TCP_PORT": "8888",
        "SYNTHGEN_HEAD_SVC_PORT_8888_TCP_ADDR": "10.0.0.1",
    }

    assert list(unread({**dict.fromkeys([*settings, *others], "1"), **services})) == []
