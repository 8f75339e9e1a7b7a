"""The check of each file, by its path."""

from collections.abc import Callable, Mapping

from tests.manifests.compose import check_compose
from tests.manifests.image import check_dockerfile
from tests.manifests.ray_up import check_ray_up
from tests.manifests.rayservice import check_rayservice, check_runbook
from tests.manifests.serving import check_serve_config
from tests.manifests.unsound import check_names

Check = Callable[[str], None]


def both(check: Check) -> Check:
    def checks(text: str) -> None:
        check_names(text)
        check(text)

    return checks


CHECKS: Mapping[str, Check] = {
    "configs/serve/*.yaml": both(check_serve_config),
    "cluster/compose.yaml": both(check_compose),
    "cluster/compose.env.example": check_names,
    "cluster/ray-up.yaml": both(check_ray_up),
    "cluster/rayservice.yaml": both(check_rayservice),
    "cluster/Dockerfile": both(check_dockerfile),
    "cluster/README.md": both(check_runbook),
}
