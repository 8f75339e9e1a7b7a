"""Our lines in the logs of Ray's processes, which Ray keeps in files of their own and shows in its dashboard."""

import json
import logging
import sys
from datetime import UTC, datetime

from synthgen_ray.domain.log_context import subject
from synthgen_ray.settings import LogFormat

OURS = "synthgen_ray"


class JsonLines(logging.Formatter):
    """One JSON object a line: when, how grave, who, what, and the request, job and model that it is about."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": at, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        return json.dumps({**line, **subject()}, ensure_ascii=False)


class TextLines(logging.Formatter):
    """The same for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        said = [f"{name}={value}" for name, value in subject().items() if value is not None]
        return " ".join([super().format(record), *said])


def write_logs(form: LogFormat) -> None:
    """Have this process write our lines so. Each process of ours begins with it.

    A handler of our own beside Ray's: to Ray, `job_id` is another thing. Past `sys.stderr`, which Serve replaces in its
    replicas, and would put each line as a text into one of its own.
    """
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setFormatter(JsonLines() if form is LogFormat.JSON else TextLines())
    logger = logging.getLogger(OURS)
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
