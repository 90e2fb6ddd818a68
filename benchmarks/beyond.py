"""Beyond one machine: `python -m benchmarks.beyond` measures an update on several devices, `--paper` predicts others.

Devices are virtual ones, threads of this machine's processor, so what is seen is that results are equal and what
splitting costs, not how much faster it would be. All numbers of docs/beyond.md come from here.
"""

import argparse
import math
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import numpy as np

import nn

UPDATES, BATCH, SIZES = 10, 512, (64, 512, 512, 10)
MICROSECOND = 1e-6


def worker(path: str, turns: int) -> None:
    """Train on all devices that JAX has; one process writes the parameters; print the time of an update in us."""
    import jax

    rng = np.random.default_rng(0)
    xs = rng.normal(size=(UPDATES, BATCH, SIZES[0]))
    model = nn.MLP(SIZES[0], [*SIZES[1:-1]], SIZES[-1], rng=0)
    optimizer = nn.Adam(model.parameters(), 1e-3)
    step = nn.TrainStep(model, nn.MSE(), optimizer, backend="jax", devices=jax.device_count())
    step.run(xs, xs[..., : SIZES[-1]] ** 2)
    if jax.process_index() == 0:
        nn.save(path, model)
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        step.run(xs, xs[..., : SIZES[-1]] ** 2)
        times.append((time.perf_counter() - start) / UPDATES)
    print(min(times) / MICROSECOND)


def measured(devices: int, processes: int, path: str, turns: int = 7) -> float:
    """Microseconds of an update in so many processes with so many devices each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    flags = f"--xla_force_host_platform_device_count={devices}"
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
    command = [sys.executable, "-m", "benchmarks.beyond", "--path", path, "--processes", str(processes)]
    command += ["--turns", str(turns), "--coordinator", address, "--process"]
    running = [
        subprocess.Popen([*command, str(i)], env=environment, stdout=subprocess.PIPE, text=True)
        for i in range(processes)
    ]
    found = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError(f"{processes} processes of {devices} devices failed, as is said above")
    return float(found[0].split()[-1])  # before that JAX says who is connected


def table() -> None:
    """The devices, the time of an update, and how far the parameters are from those of one device."""
    print("| devices | processes | an update | largest difference of a parameter |")
    print("| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        one: dict[str, np.ndarray] = {}
        for devices, processes in ((1, 1), (2, 1), (4, 1), (8, 1), (1, 2), (4, 2)):
            path = pathlib.Path(folder, f"{devices}-{processes}.npz")
            spent = measured(devices, processes, str(path))
            arrays = nn.load(path)
            one = one or arrays
            apart = max(float(abs(arrays[name] - one[name]).max()) for name in one)
            print(f"| {devices * processes} | {processes} | {spent:,.0f} us | {apart:.1e} |", flush=True)


def sent(parameters: float, devices: int, bandwidth: float, latency: float) -> float:
    """Seconds that a ring takes to add up gradients of 4 bytes: 2 (n - 1) messages of 1 / n of them."""
    return 2 * (devices - 1) * (4 * parameters / devices / bandwidth + latency)


def layers(*sizes: int) -> int:
    """The parameters of a perceptron."""
    return sum((a + 1) * b for a, b in zip(sizes, sizes[1:]))


def paper() -> None:
    """What the model predicts: 6 operations for each parameter and example (or token), after a start."""
    start, speed, inside, between = 50e-6, 25e12, (300e9, 5e-6), (40e9, 10e-6)
    print("| network, batch | gradients | GPUs | work | communication | an update | speedup |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    networks = {
        "2-8-8-1, 16": (layers(2, 8, 8, 1), 16),
        "digits 64-128-10, 64": (layers(64, 128, 10), 64),
        "2-64-64-1, 256": (layers(2, 64, 64, 1), 256),
        "GPT of 100 million, 512 x 1,024 tokens": (100e6, 512 * 1024),
    }
    for name, (parameters, examples) in networks.items():
        for devices in (8, 64):
            operations = 6 * parameters * examples
            work, waiting = (
                start + operations / devices / speed,
                sent(parameters, devices, *(inside if devices == 8 else between)),
            )
            cells = name, f"{4 * parameters:,.0f} bytes", devices, *map(shown, (work, waiting, work + waiting))
            print(f"| {' | '.join(map(str, cells))} | {(start + operations / speed) / (work + waiting):.3g} |")


def shown(seconds: float) -> str:
    """A time with its unit."""
    power = min(max(-math.floor(math.log10(seconds) / 3), 0), 3)
    return f"{seconds * 1000**power:.3g} {('s', 'ms', 'us', 'ns')[power]}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beyond", description=__doc__)
    parser.add_argument("--paper", action="store_true", help="what a model on paper predicts")
    parser.add_argument("--path", help="train in this process, and write the parameters there")
    parser.add_argument("--turns", type=int, default=7, help="the best of so many is shown")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--process", type=int, default=0)
    parser.add_argument("--coordinator", default="127.0.0.1:9911", help="where the first process listens")
    options = parser.parse_args()
    if options.processes > 1:
        import jax

        jax.distributed.initialize(options.coordinator, options.processes, options.process)
    if options.path:
        worker(options.path, options.turns)
    else:
        (paper if options.paper else table)()


if __name__ == "__main__":
    main()
