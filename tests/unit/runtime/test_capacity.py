"""What a training gets of a cluster, and what is refused."""

from pathlib import Path

import pytest
import yaml

from synthgen_ray.domain.entities import Assignment
from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.params import ModelType, Resources
from synthgen_ray.runtime.capacity import Workers, plan_workers, types_with_room
from synthgen_ray.runtime.nodes import Cluster
from synthgen_ray.runtime.train import collectives
from synthgen_ray.settings import Settings
from tests.given import a_job, an_artifact

CONFIGS = Path(__file__).parents[3] / "configs"


def planned(cluster: dict[str, float], model_type=ModelType.CTGAN, settings: dict | None = None, **asked) -> Workers:
    return plan_workers(model_type, Resources(**asked), Cluster((cluster,)), Settings(training=settings or {}))


def test_a_training_gets_what_it_asks_for():
    cluster = {"CPU": 8.0}

    assert planned(cluster, num_workers=3, settings={"cpus_per_worker": 2}) == Workers(3, 2, use_gpu=False)


def test_gpus_are_taken_where_there_are_enough_of_them():
    cluster = {"CPU": 8.0, "GPU": 2.0}

    assert planned(cluster, num_workers=2).use_gpu
    assert not planned(cluster, num_workers=3).use_gpu
    assert not planned(cluster, num_workers=2, use_gpu=False).use_gpu


def test_what_samplers_have_of_a_gpu_no_training_gets():
    settings = Settings(sampler={"num_gpus": 0.5})

    for gpus in (1.0, 2.0):
        cluster = Cluster(({"CPU": 8.0, "GPU": gpus},))
        assert plan_workers(ModelType.CTGAN, Resources(), cluster, settings).use_gpu == (gpus == 2.0)


@pytest.mark.parametrize(("gpus", "carries"), [(2.0, "cpu:gloo,cuda:nccl"), (0.0, "gloo")])
def test_sums_of_gpus_are_carried_by_nccl(gpus, carries):
    assert collectives(planned({"CPU": 8.0, "GPU": gpus}, num_workers=2)) == carries


@pytest.mark.parametrize(
    ("workers", "by_ray_train"),
    [
        (Workers(1, 4, use_gpu=False), False),
        (Workers(2, 1, use_gpu=False), True),
        (Workers(1, 1, use_gpu=True), True),
    ],
)
def test_many_workers_and_gpus_are_led_by_ray_train(workers, by_ray_train):
    assert workers.by_ray_train == by_ray_train


def test_a_copula_runs_in_one_process():
    cluster = {"CPU": 8.0, "GPU": 2.0}

    assert planned(cluster, ModelType.GAUSSIAN_COPULA, num_workers=2) == Workers(1, 1, use_gpu=False)


def test_a_copula_needs_no_room_for_the_workers_that_others_have_by_default():
    settings = {"num_workers": 4}

    assert planned({"CPU": 4.0}, ModelType.GAUSSIAN_COPULA, settings) == Workers(1, 1, use_gpu=False)
    with pytest.raises(InvalidRequest):
        planned({"CPU": 4.0}, ModelType.CTGAN, settings)


@pytest.mark.parametrize("model_type", list(ModelType))
@pytest.mark.parametrize(
    ("resources", "says"),
    [
        ({"num_workers": 4}, "4 CPUs and the cluster has 3.5 for it, enough for 3 workers"),
        ({"use_gpu": True}, "1 GPUs and the cluster has 0"),
    ],
)
def test_more_than_there_is_is_refused(model_type, resources, says):
    cluster = {"CPU": 4.0}

    with pytest.raises(InvalidRequest, match=says) as refused:
        planned(cluster, model_type, **resources)

    assert refused.value.code == "resources_unavailable"


FOUR_SMALL_ONES = Cluster(({}, *({"CPU": 3.0},) * 4))  # after the head


@pytest.mark.parametrize(
    ("each", "asked", "most"),
    [(4, 1, 0), (2, 5, 4), (2, 4, None), (1, 11, None), (3, 4, 3)],
    ids=["no node has so many", "one on each", "one on each, and no more", "as many as there are", "those that serve"],
)
def test_a_worker_is_on_one_node(each, asked, most):
    settings = Settings(training={"cpus_per_worker": each})

    def plan() -> Workers:
        return plan_workers(ModelType.CTGAN, Resources(num_workers=asked), FOUR_SMALL_ONES, settings)

    if most is None:
        assert plan().count == asked
        return
    with pytest.raises(InvalidRequest, match=f"enough for {most} workers of {each} on one node"):
        plan()


@pytest.mark.parametrize(
    ("nodes", "each", "serving", "most"),
    [
        ((4.0, 4.0), 1, {"ingress": {"replicas": 2}}, 6),
        ((4.0, 4.0), 4, {"ingress": {"replicas": 2}}, 0),
        ((4.0, 4.0), 1, {"ingress": {"replicas": 3}, "sampler": {"min_replicas": 1}}, 6),
        ((4.0, 4.0), 1, {"ingress": {"replicas": 2}, "sampler": {"min_replicas": 1, "num_cpus": 5}}, 2),
        ((5.0, 4.0), 2, {"ingress": {"replicas": 1}}, 3),
        ((0.0, 3.0), 1, {"ingress": {"replicas": 2}, "sampler": {"max_replicas": 2}}, 2),
    ],
    ids=["on both", "alone on each", "beside another", "on no node", "what is left over", "not by a rounding"],
)
def test_what_always_serves_is_where_it_costs_most(nodes, each, serving, most):
    settings = Settings(training={"cpus_per_worker": each}, **serving)
    cluster = Cluster(tuple({"CPU": cpus} for cpus in nodes))

    with pytest.raises(InvalidRequest, match=f"enough for {most} workers"):
        plan_workers(ModelType.CTGAN, Resources(num_workers=most + 1), cluster, settings)
    if most:
        assert plan_workers(ModelType.CTGAN, Resources(num_workers=most), cluster, settings).count == most


def test_a_gpu_is_of_use_where_there_are_cpus_beside_it():
    settings = Settings(training={"cpus_per_worker": 4})
    cluster = Cluster(({"CPU": 2.0, "GPU": 4.0}, {"CPU": 16.0}))

    assert not plan_workers(ModelType.CTGAN, Resources(), cluster, settings).use_gpu
    with pytest.raises(InvalidRequest, match="1 GPUs and the cluster has 0"):
        plan_workers(ModelType.CTGAN, Resources(use_gpu=True), cluster, settings)


def test_where_nodes_come_when_asked_for_the_operator_sets_the_bound():
    cluster = {"CPU": 1.0}

    assert planned(cluster, num_workers=16, use_gpu=True, settings={"max_workers": 16}).count == 16
    with pytest.raises(InvalidRequest, match="17 workers and may have 16"):
        planned(cluster, num_workers=17, settings={"max_workers": 16})


@pytest.mark.parametrize("file", ["cluster.yaml", "serve/cluster.yaml", "serve/haproxy.yaml", "serve/local.yaml"])
def test_a_cluster_of_two_cores_trains_with_what_is_set_for_it(file):
    given = yaml.safe_load((CONFIGS / file).read_text())
    settings = Settings.model_validate(given["applications"][0]["args"] if "applications" in given else given)

    assert plan_workers(ModelType.CTGAN, Resources(), Cluster(({"CPU": 2.0},)), settings).count == 1


def a_training(num_workers: int, model_type: ModelType = ModelType.CTGAN, use_gpu: bool | None = None) -> Assignment:
    resources = Resources(num_workers=num_workers, use_gpu=use_gpu).model_dump()
    return Assignment(a_job(JobType.TRAIN, model_type=model_type), an_artifact(), resources=resources)


A_REPORT = Assignment(a_job(JobType.REPORT), an_artifact())
A_GENERATION, A_HUGE_ONE = (
    Assignment(a_job(JobType.GENERATE, config={"num_rows": rows}), an_artifact()) for rows in (5_000_000, 5_000_001)
)
SAMPLERS_ALONE = {JobType.GENERATE, JobType.BATCH}


def types_beside(*running: Assignment, cpus: float = 4, gpus: float = 0, **training: int) -> set[JobType]:
    return set(types_with_room(running, Cluster(({"CPU": cpus, "GPU": gpus},)), Settings(training=training)))


@pytest.mark.parametrize(
    ("running", "claimed"),
    [
        ([], set(JobType)),
        ([A_GENERATION] * 9, set(JobType)),
        ([A_HUGE_ONE], set(JobType)),  # for which Ray Data takes half of each CPU
        ([A_HUGE_ONE, A_REPORT], SAMPLERS_ALONE),
        ([a_training(2)], set(JobType)),  # 3.5 CPUs are left for jobs
        ([a_training(2), A_REPORT], SAMPLERS_ALONE),
        ([a_training(3)], SAMPLERS_ALONE),
        ([a_training(3, ModelType.GAUSSIAN_COPULA)], set(JobType)),  # whose work is not shared
        ([a_training(2), a_training(3)], SAMPLERS_ALONE),  # the second waits for the first, and others behind it
    ],
)
def test_a_kind_is_claimed_while_the_cluster_has_cpus_that_no_job_asked_for(running, claimed):
    assert types_beside(*running) == claimed


def test_a_report_takes_a_cpu_where_a_worker_takes_two():
    assert types_beside(a_training(1), cpus_per_worker=2) == {JobType.REPORT, *SAMPLERS_ALONE}


@pytest.mark.parametrize(
    ("running", "gpus", "claimed"),
    [
        ([a_training(1)], 1, {JobType.REPORT, *SAMPLERS_ALONE}),  # of the next one a GPU would be asked
        ([a_training(1)], 2, set(JobType)),
        ([a_training(2)], 2, {JobType.REPORT, *SAMPLERS_ALONE}),
        ([a_training(2)], 1, set(JobType)),  # on CPUs, as there are too few GPUs
        ([a_training(1, use_gpu=False)], 1, set(JobType)),
        ([a_training(1, ModelType.GAUSSIAN_COPULA)], 1, set(JobType)),
        ([A_REPORT], 1, set(JobType)),
    ],
)
def test_a_training_is_claimed_while_the_cluster_has_a_gpu_for_it(running, gpus, claimed):
    assert types_beside(*running, cpus=8, gpus=gpus) == claimed


def test_who_asks_for_more_than_there_is_now_takes_nothing():
    assert types_beside(a_training(9)) == set(JobType)  # of a cluster that has lost nodes: it will be postponed


def test_something_is_claimed_however_little_there_is():
    assert types_beside(cpus=0.5) == set(JobType)


def test_where_nodes_come_when_they_are_asked_for_all_is_claimed():
    assert types_beside(a_training(3), A_REPORT, max_workers=8) == set(JobType)
