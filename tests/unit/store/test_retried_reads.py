"""A call that is repeated when the store was lost on the way (`runtime/actors.py`) must be one that writes nothing."""

import ast
import inspect
import textwrap

import pytest

from synthgen_ray.runtime.actors import READS
from synthgen_ray.store.store import Store

REPEATED = sorted(name for name in dir(Store) if name.startswith(READS))


def transactions_of(name: str) -> set[str]:
    """The kinds of transaction that a method opens by itself or by other methods of the store."""
    code = ast.parse(textwrap.dedent(inspect.getsource(getattr(Store, name))))
    used = {node.attr for node in ast.walk(code) if isinstance(node, ast.Attribute)}
    called = {attr for attr in used if inspect.isfunction(getattr(Store, attr, None))} - {name}
    own = used & {"reading", "writing", "updating"}
    return own.union(*map(transactions_of, called))


@pytest.mark.parametrize("name", REPEATED)
def test_what_is_repeated_opens_no_transaction_that_may_write(name):
    assert transactions_of(name) == {"reading"}


def test_what_writes_is_seen_to_do_so():
    assert transactions_of("create_project") == {"writing"}
    assert len(REPEATED) > 20
