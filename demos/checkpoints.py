"""The Gaussian demo's checkpoints: all that the rest of a run depends on, and whether a file holds it."""

import json
import pathlib
from contextlib import suppress
from typing import Any

import numpy as np

import nn
from nn.module import check_state

CHUNK = 1000  # iterations between checkpoints, and the window of the running loss


def state(run: Any) -> dict[str, np.ndarray]:
    """Everything that the rest of the run depends on, by name."""
    return {
        **{f"model/{name}": array for name, array in run.model.state_dict().items()},
        **{f"optimizer/{name}": array for name, array in run.optimizer.state_dict().items()},
        "generator": np.array(json.dumps(run.rng.bit_generator.state)),
        "settings": np.array(json.dumps(run.settings())),
        "history": np.array(run.history, float).reshape(-1, 2),
        "frame_at": np.array([at for at, _ in run.frames]),
        "frames": np.array([heights for _, heights in run.frames]),
    }


def load(run: Any, path: pathlib.Path) -> None:
    """Go on from a checkpoint; ValueError if it is damaged or belongs to a run with other settings."""
    arrays = nn.load(path, limit=max(2**30, path.stat().st_size))  # a large network's are stored as they are
    theirs, generator, ours = _decoded(arrays, "settings"), _decoded(arrays, "generator"), run.settings()
    if changed := [f"{name} {theirs.get(name)}" for name in ours if theirs.get(name) != ours[name]]:
        raise ValueError(f"the checkpoint was made with {', '.join(changed)}: resume with the same options")
    expected = state(run)
    check_state(arrays, {**expected, **_grown(arrays, expected)}, "the checkpoint")
    for part, owner in (("model/", run.model), ("optimizer/", run.optimizer)):
        owner.load_state_dict(
            {name.removeprefix(part): array for name, array in arrays.items() if name.startswith(part)}
        )
    with suppress(KeyError, OverflowError, TypeError, ValueError):
        run.rng.bit_generator.state = generator
    if run.rng.bit_generator.state != generator:
        raise ValueError(f"the checkpoint's generator is not a state of {type(run.rng.bit_generator).__name__}")
    run.history = [(int(at), loss) for at, loss in _checked(arrays["history"], run).tolist()]
    run.frames = list(zip(arrays["frame_at"].tolist(), arrays["frames"]))
    run.done = run.optimizer.steps


def _decoded(arrays: dict[str, np.ndarray], name: str) -> dict[str, Any]:
    """What a checkpoint holds as the text of a dict."""
    try:
        found = json.loads(arrays[name].item())
    except (KeyError, RecursionError, TypeError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"the checkpoint has no {name} that are a dict as JSON")
    return found


def _grown(arrays: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the arrays of a checkpoint look like that are longer or shorter than in a new run."""
    rows, frames = (arrays[name].shape[:1] if name in arrays else () for name in ("history", "frames"))
    return {
        **{name: arrays[name] for name in ("settings", "generator")},
        "history": np.broadcast_to(0.0, (*rows, 2)),
        "frame_at": np.broadcast_to(0, frames),
        "frames": np.broadcast_to(0.0, (*frames, *expected["frames"].shape[1:])),
    }


def _checked(history: np.ndarray, run: Any) -> np.ndarray:
    """The history, if it has a loss for each chunk, all of them finite unless the weights are not, either."""
    ends = [min(i * CHUNK, run.options.iterations) for i in range(1, len(history) + 1)]
    if history[:, 0].tolist() != ends or ends[-1:] != [run.optimizer.steps]:
        raise ValueError(f"the checkpoint's history is not a loss for every {CHUNK} of its iterations")
    diverged = not all(np.isfinite(parameter.data).all() for parameter in run.model.parameters())
    if not (diverged or np.isfinite(history).all()):
        raise ValueError("the checkpoint's history has a loss that is not finite, but its weights are")
    return history
