"""A device that is not the CPU, on machines that have no other: what lies there, only it may touch.

An operation on tensors of two devices fails as it would with a GPU, and so does to ask a tensor for its numbers before
it was copied back. All else is computed on the CPU, so that results can be compared.
"""

from functools import cache
from typing import Any, ClassVar

import torch
from torch.utils import backend_registration
from torch.utils._pytree import tree_leaves, tree_map

NAME = "elsewhere"
CAN_BE_MADE = hasattr(backend_registration, "_setup_privateuseone_for_python_backend")


class Elsewhere(torch.Tensor):
    held: torch.Tensor  # what lies there
    brought_back: ClassVar[int] = 0  # how often somebody waited for what is there; a GPU would have been idle meanwhile

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> "Elsewhere":
        layout = {"strides": held.stride(), "storage_offset": held.storage_offset()}
        made = torch.Tensor._make_wrapper_subclass(cls, held.size(), dtype=held.dtype, device=f"{NAME}:0", **layout)
        made.held = held
        return made

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"{NAME}: {self.held!r}"

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        leaves = tree_leaves((arguments, options or {}))
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        devices = [leaf for leaf in leaves if isinstance(leaf, torch.device)]
        moves = devices or function is torch.ops.aten.copy_.default
        # Numbers of no dimension are sent along with an operation.
        if not moves and any(tensor.dim() for tensor in tensors if not isinstance(tensor, cls)):
            raise RuntimeError(f"{function}: expected all tensors to be on the same device")
        if function is torch.ops.aten._local_scalar_dense.default or (devices and devices[0].type == "cpu"):
            cls.brought_back += 1
        stays = not devices or devices[0].type == NAME
        arguments, options = tree_map(_on_cpu, (arguments, options or {}))
        found = function(*arguments, **options)
        given = {id(tensor.held): tensor for tensor in tensors if isinstance(tensor, cls)}  # perhaps changed in place

        def placed(one: Any) -> Any:
            if not isinstance(one, torch.Tensor):
                return one
            return given[id(one)] if id(one) in given else cls(one)

        return tree_map(placed, found) if stays else found


def _on_cpu(one: Any) -> Any:
    if isinstance(one, torch.device):
        return torch.device("cpu")
    return one.held if isinstance(one, Elsewhere) else one


def _empty(size: Any, *, dtype: Any = None, memory_format: Any = None, **_: Any) -> torch.Tensor:
    return Elsewhere(torch.empty(size, dtype=dtype, memory_format=memory_format or torch.contiguous_format))


def _empty_strided(size: Any, stride: Any, *, dtype: Any = None, **_: Any) -> torch.Tensor:
    return Elsewhere(torch.empty_strided(size, stride, dtype=dtype))


def _copy_from(source: torch.Tensor, target: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
    _on_cpu(target).copy_(_on_cpu(source))
    return target


@cache
def another_device() -> torch.device:
    """The process has it from now on; it must not have gone back through a network before."""

    class Module(backend_registration._DummyBackendModule):
        def get_amp_supported_dtype(self) -> list[torch.dtype]:
            return [torch.bfloat16]

    backend_registration._setup_privateuseone_for_python_backend(NAME, backend_module=Module())
    library = torch.library.Library("aten", "IMPL")
    library.impl("empty.memory_format", _empty, "PrivateUse1")
    library.impl("empty_strided", _empty_strided, "PrivateUse1")
    library.impl("_copy_from", _copy_from, "PrivateUse1")
    everything = torch.library.Library("_", "IMPL")
    everything.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    _KEPT.extend([library, everything])
    return torch.device(f"{NAME}:0")


_KEPT: list[torch.library.Library] = []  # they would be undone with the last reference
