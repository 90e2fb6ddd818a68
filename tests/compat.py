"""Build, install and test as users do, on each Python that is here, with the lowest packages allowed and the newest.

    python -m tests.compat                            # what CI runs
    python -m tests.compat 3.12 --packages lowest     # one Python, with the lowest versions that setup.cfg states
    python -m tests.compat 3.13 --numpy 2.2.0         # with another NumPy

The sdist is built from a copy of the source, and the wheel from the sdist. In a fresh environment with the wheel and
numpy alone SMOKE runs; with the extra `test` a demo and the tests QUICK, which lie in the unpacked sdist without the
packages, so that what they import is what is installed. A warning is an error. Needs uv, which the extra `dev` brings.
"""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).parent.parent
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
COMPILED = "numpy scipy llvmlite matplotlib scikit-learn pygraphviz".split()  # taken as wheels alone, never built here
QUICK = "anomaly changed definitions footprint help limits lists module node owning ufuncs".split()
SMOKE = """
import numpy, autograd.numpy as np, nn
from autograd import Value, grad, hessian, jit, vmap
a = Value(2.0)
(a * a).tanh().backward()
assert abs(a.grad - 4 / numpy.cosh(4.0) ** 2) < 1e-12
f = lambda x: np.sum(np.sin(x) ** 2)
x = numpy.array([0.5, 1.0])
for derived in (grad(f)(x), jit(grad(f))(x), vmap(grad(f))(x)):
    numpy.testing.assert_allclose(derived, numpy.sin(2 * x), rtol=1e-12)
numpy.testing.assert_allclose(hessian(f)(x), numpy.diag(2 * numpy.cos(2 * x)), rtol=1e-12)
model = nn.MLP(2, [8], 1, rng=0)
step = nn.TrainStep(model, nn.MSE(), nn.Adam(model.parameters(), lr=0.01))
losses = step.run(numpy.ones((100, 4, 2)), numpy.zeros((100, 4, 1)))
assert losses[-1] < losses[0] and step.backend.startswith("python"), step.backend
"""


class Failed(Exception):
    """A command failed; the message is what it wrote."""


def run(*command: object, cwd: pathlib.Path | None = None) -> str:
    """What a command prints."""
    outside = {name: x for name, x in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    ended = subprocess.run(
        [*map(str, command)], cwd=cwd, env=outside, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if ended.returncode:
        raise Failed(f"{' '.join(map(str, command[:6]))} ...\n{ended.stdout[-4000:]}")
    return ended.stdout


def uv(*command: object) -> str:
    """What uv prints; it never downloads a Python, and trusts whom the system trusts."""
    return run(sys.executable, "-m", "uv", "--quiet", "--native-tls", "--no-python-downloads", *command)


def interpreter(version: str) -> str | None:
    """A Python of this version: this one, one on the PATH, or one of pyenv's."""
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
    known = [sys.executable, shutil.which(f"python{version}"), *pyenv.glob(f"versions/{version}.*/bin/python")]
    for python in filter(None, known):
        said = subprocess.run([python, "-c", "import sys; print(*sys.version_info[:2], sep='.')"], capture_output=True)
        if said.stdout.decode().strip() == version:
            return str(python)
    return None


def build(place: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """The wheel, and the unpacked sdist that it was built from, which must hold all of the packages."""
    left_out = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "runs")
    shutil.copytree(ROOT, place / "copy", ignore=left_out)
    uv("build", place / "copy", "--out-dir", place / "dist")
    (wheel,), (sdist,) = place.glob("dist/*.whl"), place.glob("dist/*.tar.gz")
    shutil.unpack_archive(sdist, place, filter="data")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = [x for name in ("autograd", "nn") for x in (place / "copy" / name).rglob("*") if x.is_file()]
    if missing := {x.relative_to(place / "copy").as_posix() for x in files} ^ packed:
        raise Failed(f"the wheel does not hold what the source does: {missing}")
    source = place / sdist.name.removesuffix(".tar.gz")
    for name in ("autograd", "nn"):
        shutil.rmtree(source / name)
    return wheel, source


def try_out(python: str, packages: str, numpy: str, wheel: pathlib.Path, source: pathlib.Path) -> str:
    """Install and test in a fresh environment, and say with what."""
    place = pathlib.Path(tempfile.mkdtemp(dir=wheel.parent.parent))
    here, chosen = place / "venv" / "bin" / "python", place / "versions.txt"
    wanted = place / "numpy.txt"
    wanted.write_text(f"numpy{numpy}\n")
    resolution = "lowest-direct" if packages == "lowest" else "highest"
    wheels = [option for name in COMPILED for option in ("--only-binary", name)]
    extra = ["--extra", "test", "--constraint", wanted, "--python", python]
    copy = wheel.parent.parent / "copy" / "setup.cfg"
    uv("pip", "compile", copy, *extra, "--resolution", resolution, *wheels, "--output-file", chosen)
    uv("venv", "--python", python, place / "venv")
    install = ["pip", "install", "--python", here, "--constraint", chosen]
    strict = [here, "-W", "error"]
    uv(*install, wheel)
    run(*strict, "-c", SMOKE, cwd=place)
    uv(*install, f"{wheel}[test]")
    imported = run(*strict, "-c", "import autograd; print(autograd.__file__)", cwd=source)
    if not imported.startswith(str(place)):
        raise Failed(f"the tests would import {imported}")
    run(*strict, source / "demos" / "gaussian.py", "--iterations", 300, "--out", place / "runs", cwd=place)
    tests = [f"tests/test_{name}.py" for name in QUICK]
    pytest = [here, "-m", "pytest", "-p", "no:cacheprovider", "-k", "not demos_help"]  # which start a process for each
    ran = run(*pytest, *tests, cwd=source).strip().splitlines()[-1]
    pinned = dict(line.split("==") for line in chosen.read_text().splitlines() if "==" in line)
    shutil.rmtree(place)
    return f"numpy {pinned['numpy']}, scipy {pinned['scipy']}, llvmlite {pinned['llvmlite']}: {ran}"


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("pythons", nargs="*", default=PYTHONS, help="such as 3.12; by default all that are here")
    parser.add_argument("--packages", choices=["lowest", "newest"], nargs="*", default=["lowest", "newest"])
    parser.add_argument("--numpy", default="", help="this version of it")
    given = parser.parse_args()
    found = {version: interpreter(version) for version in given.pythons}
    wanted = [(version, packages) for version in found if found[version] for packages in given.packages]
    failures = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        wheel, source = build(pathlib.Path(folder))
        numpy = given.numpy and f"=={given.numpy}"
        tried = {x: pool.submit(try_out, str(found[x[0]]), x[1], numpy, wheel, source) for x in wanted}
        for (version, packages), future in tried.items():
            try:
                print(f"Python {version}, {packages} packages: {future.result()}", flush=True)
            except Failed as error:
                failures += 1
                print(f"Python {version}, {packages} packages: failed: {error}", flush=True)
    print("not here:", ", ".join(version for version in found if not found[version]) or "none")
    return int(failures > 0 or not wanted)


if __name__ == "__main__":
    sys.exit(main())
