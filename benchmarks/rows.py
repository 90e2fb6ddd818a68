"""The rows of the table, and what they should reach."""

from dataclasses import dataclass

SMALL, LARGE, DEEP = "2-8-8-1 16", "2-64-64-1 256", f"2{24 * '-8'}-1 16"  # sizes of the layers, batch
FUNCTIONS = "exp expm1 log log1p log2 sin cos tan arctan sinh cosh tanh sigmoid softplus".split()
UNITS = {"s": 1.0, "us": 1e-6, "bytes": 1.0}


@dataclass(frozen=True)
class Row:
    """Our work, and a peer's that does the same.

    A target is of the ratio of times, theirs / ours (`>= 14 x`) or ours / theirs (`<= 0.4 x`), or of what we take alone
    (`<= 3 us`).
    """

    title: str
    ours: str
    peer: str = ""
    target: str = ""

    def factor(self, ours: float, ratio: float | None) -> float | None:
        """How many times too much we take, at most 1 where the target is reached; the ratio is theirs / ours."""
        if not self.target:
            return None
        sign, number, unit = self.target.split()
        taken = ours / UNITS[unit] if unit in UNITS else ratio and 1 / ratio
        return taken and (taken / float(number) if sign == "<=" else taken * float(number))


RACES = {  # how its rows are titled, and what the contenders' names end in
    f"race, width {width}, batch {n}, {dtype}": f"{width} {n} {dtype}"
    for dtype in ("float32", "float64")
    for n in (16, 1)
    for width in (16, 32, 64)
}
STEP, LARGE_STEP = "step 2-8-8-1, batch 16", "step 2-64-64-1, batch 256"
ROWS = [
    Row("scalar graph, eager", "ours scalar", "micrograd scalar", ">= 14 x"),
    Row("the same, no garbage collector there", "ours scalar", "micrograd scalar uncollected"),
    Row("the same, gc.disable() here, as graphs have no cycles", "ours scalar uncollected", "micrograd scalar"),
    Row("scalar graph, eager", "ours scalar", "microgpt scalar", ">= 2.2 x"),
    Row("scalar graph, eager", "ours scalar", "documented xad", ">= 1 x"),
    Row("scalar graph, jit python", "ours jit python", "micrograd scalar", ">= 100 x"),
    Row("scalar graph, jit llvm", "ours jit llvm", "micrograd scalar", ">= 3000 x"),
    Row(f"{STEP}, eager", f"ours eager {SMALL}", f"numpy step {SMALL}", "<= 1.5 x"),
    Row(f"{STEP}, by layers", f"ours layers {SMALL}", f"numpy step {SMALL}"),
    Row(f"{STEP}, by layers", f"ours layers {SMALL}", f"torch step {SMALL}", ">= 4 x"),
    Row(f"{STEP}, by layers", f"ours layers {SMALL}", f"torch.compile step {SMALL}"),
    Row(f"{STEP}, by layers", f"ours layers {SMALL}", f"hips step {SMALL}", ">= 7 x"),
    Row(f"{STEP}, by layers", f"ours layers {SMALL}", f"mygrad step {SMALL}", ">= 3 x"),
    Row(f"{STEP}, python", f"ours step {SMALL} python", f"buffers step {SMALL}", "<= 1.2 x"),
    Row(f"{STEP}, llvm", f"ours step {SMALL} llvm", f"C step {SMALL}", "<= 0.4 x"),
    Row(f"{STEP}, llvm", f"ours step {SMALL} llvm", f"jax step {SMALL}"),
    Row("the demo, sampling included", "ours demo", "documented crabnn", ">= 10 x"),
    Row(f"{LARGE_STEP}, eager", f"ours eager {LARGE}", f"numpy step {LARGE}", "<= 1.1 x"),
    Row(f"{LARGE_STEP}, python", f"ours step {LARGE} python", f"numpy step {LARGE}"),
    Row(f"{LARGE_STEP}, llvm", f"ours step {LARGE} llvm", f"numpy step {LARGE}", "<= 0.3 x"),
    Row(f"{LARGE_STEP}, llvm", f"ours step {LARGE} llvm", f"jax step {LARGE}", "<= 0.7 x"),
    *(
        Row(f"{name}, with gradient, 200,000", f"ours elementwise {name}", f"{peer} elementwise {name}", target)
        for name in FUNCTIONS
        for peer, target in (("jax", "<= 1 x"), ("numpy", "<= 0.35 x"))
    ),
    *(
        Row(f"product of {n} x {n}, {dtype}", f"ours product {n} {dtype}", f"numpy product {n} {dtype}", "<= 1.11 x")
        for n in (64, 128, 256, 512, 1024)
        for dtype in ("float32", "float64")
    ),
    *(
        Row(f"step, {title}, batch 64", f"ours train {kind}", f"{peer} train {kind}", ">= 1 x")
        for title, kind in (("digits 64-128-10", "digits"), ("convolutions", "convolutional"))
        for peer in ("jax", "torch", "torch.compile")
    ),
    *(
        Row(title, f"ours race {race}", f"{peer} race {race}", "<= 0.67 x")
        for title, race in RACES.items()
        for peer in ("C", "jax", "torch", "torch.compile", "numpy")
    ),
    *(
        Row(f"{title}, {way}", f"ours race-{way} {RACES[title]}", f"{peer} race {RACES[title]}")
        for title in ("race, width 16, batch 16, float32", "race, width 64, batch 16, float32")
        for way, peer in (("python", "numpy"), ("eager", "numpy"), ("eager", "torch"))
    ),
    *(
        Row(f"step, {title}, batch 64, backend jax", f"ours train {kind} jax", peer)
        for title, kind in (("digits 64-128-10", "digits"), ("convolutions", "convolutional"))
        for peer in (f"jax train {kind}", f"ours train {kind}")
    ),
    *(
        Row(f"{title}, backend jax", f"ours race-jax {RACES[title]}", f"{peer} race {RACES[title]}")
        for title in ("race, width 16, batch 16, float32", "race, width 64, batch 16, float32")
        for peer in ("jax", "ours")
    ),
    Row("race, width 16, batch 1, Value", "ours race-value 16 1 float64", "microgpt race-scalar 16 1 float64"),
    Row("race, compiling, width 64", "ours first race 64 16 float32", "jax first race 64 16 float32", "<= 2 s"),
    Row("f(x, y) of numbers, a call", "ours call numbers", "", "<= 3 us"),
    Row("f(x, y) of arrays, a call", "ours call arrays", "", "<= 3 us"),
    Row(f"step(x, y), {SMALL}, a call", "ours call-step", "", "<= 8 us"),
    Row("compiling: step 2-8-8-1", f"ours first step {SMALL} llvm", f"jax first step {SMALL}", "<= 0.3 s"),
    Row("compiling: scalar graph, gradient", "ours first jit llvm", "", "<= 4 s"),
    Row("compiling: graph of 200,000 scalars", "ours first graph 304", "", "<= 10 s"),
    Row("compiling: MLP(2, [8] * 24, 1), Adam", f"ours first deep {DEEP}", "", "<= 1 s"),
    Row("compiling: transformer, Adam", "ours first train transformer", "jax first train transformer", "<= 2 s"),
    Row("compiling: recurrent, 80 steps", "ours first unrolled 80", "jax first unrolled 80", "<= 3 s"),
    Row("compiling: recurrent, scan of 1,000", "ours first scan 1000", "jax first scan 1000", "<= 3 s"),
    Row("its gradient, 80 steps", "ours unrolled 80", "jax unrolled 80"),
    Row("its gradient, scan of 1,000 steps", "ours scan 1000", "jax scan 1000"),
    Row("400 derivatives inside one", "ours nested", "hips nested", ">= 1 x"),
    *(
        Row(f"{title} of k-means, {50 * n:,} numbers", f"ours {kind} {n}", f"hips {kind} {n}", ">= 1 x")
        for title, kind in (("gradient", "k-means"), ("hvp", "hvp"))
        for n in (200, 20_000, 200_000)
    ),
    Row("chain of 1,000,000, a node", "ours chain 1000000", "ours chain 100000", "<= 1.5 x"),
    Row("chain of 1,000,000, a node", "ours memory 1000000", "", "<= 200 bytes"),
    Row("draw: graph of 65,000 scalars, as SVG", "ours drawing 100 svg", "", "<= 5 s"),
    Row("import autograd", "ours imports autograd", "ours imports numpy", "<= 1.2 x"),
]
