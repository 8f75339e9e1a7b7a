"""Each test carries the mark of its folder, so that tiers can be chosen by mark too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.s3 import CREDENTIALS, S3Server, an_s3_server

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        tier = item.path.relative_to(HERE).parts[0]
        item.add_marker(tier)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A server of object storage, and this process's credentials for it."""
    with pytest.MonkeyPatch.context() as environment, an_s3_server() as server:
        for name, value in CREDENTIALS.items():
            environment.setenv(name, value)
        yield server
