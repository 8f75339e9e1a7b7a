"""ray-up.yaml: against Ray's schema, and what its containers need of each other."""

import shlex
from argparse import ArgumentError, ArgumentParser

import yaml
from jsonschema.exceptions import ValidationError as SchemaError
from ray.autoscaler._private.util import prepare_config, validate_config

from tests.manifests.nodes import Container, check_cluster
from tests.manifests.programs import calls
from tests.manifests.unsound import Unsound, within


def check_ray_up(text: str) -> None:
    given = yaml.safe_load(text)
    try:
        validate_config(prepare_config(given))
    except (SchemaError, AssertionError, ValueError) as error:
        raise Unsound(str(error)) from error
    containers = []
    for kind in ("head", "worker"):
        with within(f"{kind}_start_ray_commands"):
            called = [call for command in given[f"{kind}_start_ray_commands"] for call in calls(command)]
        environment = {name: value for call in called for name, value in call.environment.items()}
        image = given["docker"].get(f"{kind}_image", given["docker"]["image"])
        containers.append(Container(f"{kind}_start_ray_commands", image, environment, called))
        with within("docker.run_options"):
            options = given["docker"]["run_options"] + given["docker"].get(f"{kind}_run_options", [])
            _check_run_options(shlex.split(" ".join(options)))
    check_cluster(containers, head_names=["$RAY_HEAD_IP"], on_network_of_machine=True)


def _check_run_options(words: list[str]) -> None:
    """Against those that we use: one that Docker does not know would start nothing, another might open a container."""
    known = ArgumentParser("docker run", allow_abbrev=False, add_help=False, exit_on_error=False)
    for name in ("--cap-drop", "--security-opt", "--ulimit", "--shm-size", "--env-file"):
        known.add_argument(name, action="append", default=[])
    try:
        given, unknown = known.parse_known_args(words)
    except ArgumentError as error:
        raise Unsound(str(error)) from error
    if unknown:
        raise Unsound(f"{unknown[0]} is none of those of `docker run` that we use")
    if (given.cap_drop, given.security_opt) != (["ALL"], ["no-new-privileges"]):
        raise Unsound("--cap-drop=ALL and --security-opt=no-new-privileges keep a container to itself")
