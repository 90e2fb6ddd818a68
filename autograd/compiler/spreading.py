"""Several devices for one update: the batch is split among them; parameters are copied to each, or split too.

Who computes what, and how gradients are added up, is left to XLA, whose result is that of one device to rounding.
"""

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec


class Spread:
    """An axis of a mesh of devices, along which batches are split.

    So are arrays that an update changes (parameters and their states) of at least `most` elements, along their first
    axis that can be: then no device has all of them. Raises ValueError for more devices than there are, and for a mesh
    without the axis.
    """

    def __init__(self, devices: int | Mesh, axis: str, most: float):
        if not isinstance(devices, Mesh):
            if not isinstance(devices, int):
                raise TypeError(f"TrainStep: devices are a number of devices or a jax.sharding.Mesh, not {devices!r}")
            found, count = jax.devices(), devices
            if not 1 <= count <= len(found):
                raise ValueError(f"TrainStep: devices={count}, and JAX has {len(found)} on {found[0].platform}")
            devices = Mesh(np.array(found[:count]), (axis,))
        if axis not in devices.axis_names:
            raise ValueError(f"TrainStep: the mesh has axes {devices.axis_names}, and axis={axis!r} is none of them")
        kinds = (AxisType.Auto,) * len(devices.axis_names)  # XLA decides how inner arrays are split
        self.mesh, self.axis, self.most = Mesh(devices.devices, devices.axis_names, axis_types=kinds), axis, most
        self.count = self.mesh.shape[axis]
        self.whole = self._split_at(None)

    def _split_at(self, place: int | None) -> NamedSharding:
        """Split along an axis of an array, or whole everywhere."""
        spec = () if place is None else (*[None] * place, self.axis)
        return NamedSharding(self.mesh, PartitionSpec(*spec))

    def placed(self, arrays: Sequence[np.ndarray], moves: Sequence[bool]) -> list[jax.Array]:
        """Arrays on the devices: of what moves, each entry as long as the batch is split along its first axis."""
        batch = arrays[0].shape[1:2]
        if not batch or batch[0] % self.count:
            raise ValueError(
                f"TrainStep: a batch of shape {arrays[0].shape[1:]} cannot be split among {self.count} devices"
            )
        return [
            self._put(x, (self._split_at(1 if x.shape[1:2] == batch else None)) if moving else self._of_carried(x))
            for x, moving in zip(arrays, moves)
        ]

    def constrained(self, carried: list) -> list:
        """What is carried on, where it was before."""
        return [jax.lax.with_sharding_constraint(x, self._of_carried(x)) for x in carried]

    def _of_carried(self, x: Any) -> NamedSharding:
        fitting = [i for i, n in enumerate(x.shape) if n % self.count == 0]
        return self._split_at(fitting[0] if fitting and math.prod(x.shape) >= self.most else None)

    def _put(self, x: np.ndarray, sharding: NamedSharding) -> jax.Array:
        """Of an array that every process has, each puts on its devices what belongs there."""
        return jax.make_array_from_callback(x.shape, sharding, lambda index: x[index])
