"""What is asked often of the jobs, of which a server keeps all that were completed."""

import pytest

from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.store.store import Store
from tests.databases import on_sqlite
from tests.given import ADMIN
from tests.unit.store.plans import explained, statements

pytestmark = on_sqlite  # which tells of a small table how it would go about a large one
LISTS = {
    "all": (lambda store, _: store.list_jobs(ADMIN, None, None, None, 50, 0), "ix_jobs_created_at"),
    "of a project": (
        lambda store, job: store.list_jobs(ADMIN, job.project_id, None, None, 50, 0),
        "ix_jobs_project_id_created_at",
    ),
    "of a model": (
        lambda store, job: store.list_jobs(ADMIN, None, job.model_id, None, 50, 0),
        "ix_jobs_model_id_created_at",
    ),
    "with a model": (lambda store, job: store.get_model(ADMIN, job.model_id), "ix_jobs_model_id_created_at"),
}


@pytest.mark.parametrize("which", LISTS)
async def test_the_first_page_is_read_in_its_order_and_not_sorted_from_all(store: Store, given_ready_model, which):
    call, index = LISTS[which]
    job = (await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams())).value

    with statements() as seen:
        await call(store, job)

    of_jobs = [one for one in seen if "FROM jobs" in one[0] and "ORDER BY" in one[0]]
    plans = [await explained(store, *one) for one in of_jobs]
    assert plans
    for plan in plans:
        assert index in plan
        assert "TEMP B-TREE FOR ORDER BY" not in plan


async def test_what_a_project_stores_is_summed_up_without_what_it_has_let_go_of(store: Store, project):
    with statements() as seen:
        await store.get_usage(ADMIN, project.id)

    (of_sizes,) = [one for one in seen if "sum(artifacts.size_bytes)" in one[0]]
    assert "SEARCH jobs USING COVERING INDEX ix_jobs_kept" in await explained(store, *of_sizes)
