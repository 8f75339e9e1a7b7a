"""What Serve is told to deploy."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import SecretStr, ValidationError
from ray import serve
from ray._common.utils import import_attr
from ray.serve.schema import ServeDeploySchema

from synthgen_ray.settings import Settings
from tests.manifests.image import the_image
from tests.manifests.unsound import Unsound

SECRETS = {name for name, field in Settings.model_fields.items() if field.annotation == SecretStr | None}


def check_serve_config(text: str) -> None:
    """Also that it opens no address that the settings do not allow, and that all its `args` are settings, none a
    secret: the dashboard shows them."""
    given = yaml.safe_load(text)
    try:
        known = ServeDeploySchema.model_validate(given).model_dump(mode="json", exclude_unset=True)
        settings = [Settings.model_validate(one["args"]) for one in given["applications"]]
    except ValidationError as error:
        raise Unsound(str(error)) from error
    if unknown := list(unknown_keys(given, known)):  # Serve takes no notice of them
        raise Unsound(f"Serve does not know {', '.join(unknown)}")
    for application, one in zip(given["applications"], settings, strict=True):
        check_import_path(application["import_path"])
        if secrets := SECRETS & application["args"].keys():
            raise Unsound(f"{secrets.pop()} is a secret: it belongs into the environment of the nodes")
        if str(one.data_dir) != (folder := the_image().environment["SYNTHGEN_DATA_DIR"]):
            raise Unsound(f"data_dir: the image makes {folder}")
        options = given["http_options"]
        if (one.host, one.port) != (options["host"], options["port"]):
            raise Unsound("http_options and args name different addresses")


def check_import_path(path: str) -> None:
    """That it leads to what makes an application of settings. To make one here would open its stores."""
    try:
        builder = import_attr(path)
        signature = inspect.signature(builder, eval_str=True)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise Unsound(f"import_path: {path} leads nowhere: {error}") from error
    takes = [parameter.annotation for parameter in signature.parameters.values()]
    if (takes, signature.return_annotation) != ([Settings], serve.Application):
        raise Unsound(f"import_path: {path} makes no application of settings")


def unknown_keys(given: Any, known: Any, path: str = "") -> Iterator[str]:
    """Those of a document that are not in what a schema made of it."""
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        for key, value in given.items():
            if key not in known:
                yield f"{path}{key}"
            elif key != "args":  # any, as far as Serve knows
                yield from unknown_keys(value, known[key], f"{path}{key}.")
    elif isinstance(given, list) and isinstance(known, list):
        for i, (one, its) in enumerate(zip(given, known, strict=True)):
            yield from unknown_keys(one, its, f"{path}{i}.")
