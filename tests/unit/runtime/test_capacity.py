"""What a training gets of a cluster, and what is refused."""

from pathlib import Path

import pytest
import yaml

from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.domain.params import ModelType, Resources
from synthgen_ray.runtime.capacity import Workers, plan_workers
from synthgen_ray.runtime.train import collectives
from synthgen_ray.settings import Settings

CONFIGS = Path(__file__).parents[3] / "configs"


def planned(cluster: dict[str, float], model_type=ModelType.CTGAN, settings: dict | None = None, **asked) -> Workers:
    return plan_workers(model_type, Resources(**asked), cluster, Settings(training=settings or {}))


def test_a_training_gets_what_it_asks_for():
    cluster = {"CPU": 8.0}

    assert planned(cluster, num_workers=3, settings={"cpus_per_worker": 2}) == Workers(3, 2, use_gpu=False)


def test_gpus_are_taken_where_there_are_enough_of_them():
    cluster = {"CPU": 8.0, "GPU": 2.0}

    assert planned(cluster, num_workers=2).use_gpu
    assert not planned(cluster, num_workers=3).use_gpu
    assert not planned(cluster, num_workers=2, use_gpu=False).use_gpu


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


def test_where_nodes_come_when_asked_for_the_operator_sets_the_bound():
    cluster = {"CPU": 1.0}

    assert planned(cluster, num_workers=16, use_gpu=True, settings={"max_workers": 16}).count == 16
    with pytest.raises(InvalidRequest, match="17 workers and may have 16"):
        planned(cluster, num_workers=17, settings={"max_workers": 16})


@pytest.mark.parametrize("file", ["cluster.yaml", "serve/cluster.yaml", "serve/haproxy.yaml", "serve/local.yaml"])
def test_a_cluster_of_two_cores_trains_with_what_is_set_for_it(file):
    given = yaml.safe_load((CONFIGS / file).read_text())
    settings = Settings.model_validate(given["applications"][0]["args"] if "applications" in given else given)

    assert plan_workers(ModelType.CTGAN, Resources(), {"CPU": 2.0}, settings).count == 1
