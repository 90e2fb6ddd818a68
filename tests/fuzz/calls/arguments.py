"""What each argument of NumPy's functions is drawn from: what fits, what is unusual, and what nobody should give.

A template is an expression with words in braces, which `Words` in drawing.py fills. Earlier ones are simpler.
"""

import re

NEVER = {"like", "device", "kwargs", "kw", "max_work", "writeable"}  # not ours to take
# functions of NumPy that are not of autograd.numpy
FURTHER = """
apply_along_axis apply_over_axes array2string array_repr array_str asarray_chkfinite bitwise_count broadcast_shapes
common_type copyto fill_diagonal frexp gcd i0 intersect1d isfortran isscalar iterable ix_ lcm
min_scalar_type nextafter packbits place poly polyadd polyder polydiv polyfit polyint polymul polysub put
put_along_axis putmask require roots setdiff1d setxor1d shares_memory sort_complex trim_zeros
union1d unique unique_all unique_counts unique_inverse unique_values""".split()

# names of parameters, or of functions and a parameter, and templates; a word in capitals stands for the list of its own
TEXT = r"""
WRONG: None ; 'abc' ; 1.5 ; np.nan ; -7 ; (0, 1, 2, 3, 4) ; [] ; np.array([0, 1]) ; 10**20 ; 2j
AXIS: {axis} ; {axis} ; {axis} ; -1 ; 0 ; 1 ; np.int64(0) ; np.array(0) ; 7 ; 1.5 ; 'a' ; (0, 0) ; [0]
AXES: AXIS ; None ; {axes} ; {axes} ; () ; (0, -1) ; (np.int64(0),)
INTEGER: 1 ; 0 ; -1 ; 2 ; np.int64(1) ; np.array(1) ; True ; 5 ; 1.0 ; 1.5 ; 'a' ; None ; (1,) ; [1]
NUMBER: 1.0 ; 0.0 ; -2 ; {x} ; {y} ; np.float32(0.5) ; np.int64(2) ; np.nan ; np.inf ; None ; 'a' ; [0.5]
BOOL: True ; False ; 1 ; 0
DTYPE: float ; 'f4' ; 'f8' ; np.float32 ; 'f2' ; complex ; 'x' ; None ; int ; bool
OUT: {like} ; {like} ; None ; {x} ; 'a' ; ({like},)
MASK: {mask} ; True ; False ; {mask} ; np.array(True) ; {ints} ; 1.0 ; 'a' ; None
ORDER: 'C' ; 'F' ; 'A' ; 'K' ; None ; 'X' ; 1
SHAPE: {shape} ; {shape} ; -1 ; (-1, 1) ; (2, 3) ; () ; 6 ; (0,) ; (-1, -1) ; (1.5,) ; None ; 'a' ; [3] ;
    np.int64(3) ; np.array([1, 3]) ; (-2, 3)
SEVERAL: [{x}, {x}] ; ({x}, {y}) ; [{x}] ; [{x}, {y}, {x}] ; {x} ; [] ; [{x}, {list}] ; [{x}, 1.0] ; [{num}, 2]
PLACES: {ints} ; 0 ; [0, 1] ; -1 ; {mask} ; [] ; [5] ; [0.5] ; np.int64(1) ; slice(1) ; None ; [[0], [0]]
WIDTHS: 1 ; (1, 2) ; ((1, 0), (0, 2)) ; 0 ; ((1,),) ; [1] ; -1 ; 1.5 ; ((1, 2, 3),) ; 'a' ; np.array([1, 2])
VECTORS: {x} ; {row} ; {row} ; {list}
OPERANDS: {x} ; {y} ; {num} ; {list} ; {columns}
INDICES: 0 ; -1 ; 1: ; ::-1 ; ... ; None ; [0, 1] ; {mask} ; 0, 0 ; [0], [1] ; ..., 0 ; :, 0 ; 5 ; 1.5 ; 'a' ;
    None, 0 ; () ; {ints} ; [] ; np.array([[0], [1]]) ; [0.5] ; [True, False] ; True ; {x} ; ::0 ; ..., ... ;
    np.int64(0) ; [0], :, [0] ; slice(None), [0] ; np.array(1) ; 0, None, [0] ; {x} > 0
OPERATIONS: {node} {operator} {operand} ; {operand} {operator} {node}
INDEXING: {node}[{index}]
PROPERTIES: {node}.T ; {node}.mT ; {node}.shape ; {node}.ndim ; {node}.size ; {node}.dtype ; {node}.flatten() ;
    {node}.tolist() ; {node}.item() ; {node}.flatten('F')
BUILTINS: abs({node}) ; round({node}) ; round({node}, 1) ; divmod({node}, {operand}) ; pow({node}, 2) ; len({node}) ;
    bool({node}) ; float({node}) ; int({node}) ; [*{node}] ; -{node} ; +{node} ; ~{node} ; sum({node}) ; max({node}) ;
    min({node}, default=1) ; sorted({node}) ; any({node}) ; list(zip({node}, {x})) ; {node} in [1.0] ; not {node} ;
    {num} in {node} ; complex({node}) ; range({node}) ; [1, 2][{node}] ; format({node}, '.2f') ; {node} and 1 ;
    {node} is None ; isinstance({node}, float) ; hash({node}) and 0 ; next(iter({node})) ; list(reversed({node})) ;
    divmod({operand}, {node})
JOINING: np.r_[{x}, {y}] ; np.c_[{row}, {row}] ; np.r_[{x}, 0.0, 1:3] ; np.c_[{x}, {y}] ; np.r_['0,2', {row}, {row}] ;
    np.r_['-1', {x}, {y}] ; np.r_['0,2,0', {row}, {row}] ; np.r_[{x}, -1:1:3j] ; np.r_['r', {row}] ; np.c_[{x}, 'a'] ;
    np.r_[{list}, {x}] ; np.r_[{x}] ; np.c_[{node}, 1:3]
out: OUT
A array dst ar ar1 filt seq_of_zeros u: {x}
B src vals values ar2: {y} ; {num}
mask: MASK
apply_over_axes.axes: AXES
segment_sum.data: {x} ; {y} ; {row} ; {list}
segment_sum.segment_ids: [0, 1, 0] ; [0, 0] ; [-1, 1] ; [[0, 1, 0], [1, 0, 0]] ; 0 ; [5, 0] ; [0.5, 1.0] ; [0]
segment_sum.num_segments: 2 ; 1 ; 3 ; 0
affine.weight: {columns} ; {columns} ; {y}
affine.bias: {num} ; {y}
func1d func: np.sum ; np.sin
a x x1 a1 m v ary arr p f val z object element prototype sample: {x}
x3 loc mu q alpha: {y} ; {num} ; {x} ; {row}
scale df: {num} ; {y} ; 2.0 ; 1 ; {x}
cov: 2.0 ; [[2.0, 0.5], [0.5, 1.0]] ; T([[2.0, 0.5], [0.5, 1.0]]) ; {num}
multigammaln.d: 2 ; 1 ; 3 ; 0 ; 1.5 ; 'a'
x2 b y a2 v2 b2 to_end to_begin prepend append test_elements: {y} ; {y} ; {x} ; {columns} ; {num} ; {row}
axis axis1 axis2 axisa axisb axisc start: AXIS
keepdims equal_nan rowvar bias returned endpoint retstep include_initial right increasing deg: BOOL
full_matrices compute_uv hermitian upper subok copy overwrite_input assume_unique invert sparse density: BOOL
optimize stable: BOOL
dtype: DTYPE
where: MASK
rcond: None ; 1e-9 ; 0.1 ; np.float32(0.1) ; 'a'
initial fill_value rtol atol tol default left period dx base: NUMBER
k n N decimals offset num minlength ndmin ndmax kth edge_order ind sections repeats shift: INTEGER
ddof correction: 1 ; 0 ; 0.5 ; np.float32(1) ; 2.5 ; None ; 'a'
order: ORDER
shape new_shape: SHAPE
arrays tup arys args xi: SEVERAL
indices obj: PLACES
casting: 'same_kind' ; 'safe' ; 'no' ; 'x' ; 'unsafe'
kind: 'stable' ; 'quicksort' ; None ; 'x' ; 1
condition: MASK
nan posinf neginf: 1.0 ; 2 ; {x} ; np.float32(0.5) ; np.nan ; None ; 'a'
mean: np.mean({x}, {axis}, keepdims=True) ; 1.0 ; {x} ; 'a'
weights fweights aweights: {x} ; {row} ; {ints} ; None ; [1.0, 2.0] ; {y} ; 0.0 ; 'a'
min max a_min a_max: {num} ; {y} ; None ; np.nan ; 'a' ; np.int64(0) ; {row}
broadcast_to.shape full.shape: {wider} ; {wider} ; SHAPE
moveaxis.source moveaxis.destination: {axis} ; [0, 1] ; [1, 0] ; (0,) ; () ; 7 ; 1.5 ; None ; 'a'
expand_dims.axis: AXIS ; None ; {axes} ; {axes} ; () ; (0, -1) ; (np.int64(0),) ; (0, 2) ; 2
transpose.axes permute_dims.axes: {order} ; {order} ; None ; (0,) ; (0, 0) ; () ; 1.5 ; 'a' ; [1, 0]
matvec.x2: VECTORS
inner.b vdot.b vecdot.x2 linalg.vecdot.x2 kron.b outer.b linalg.outer.x2: {x} ; {y} ; {row} ; {num} ; {list}
matmul.x2 dot.b linalg.matmul.x2 tensordot.b linalg.tensordot.x2: {columns} ; {columns} ; {row} ; {y} ; {num}
vecmat.x2 linalg.solve.b lstsq.b tensorsolve.b: {rows} ; {rows} ; {row} ; {x} ; {num}
tensordot.axes linalg.tensordot.axes: 1 ; 0 ; 2 ; ([0], [0]) ; (0, 0) ; ([-1], [0]) ; np.int64(1) ; WRONG ; ([0, 1],
    [1, 0]) ; ([0], [0, 1]) ; ([5], [0]) ; (-1, -1) ; -1 ; ([0, 0], [0, 0]) ; [[1], [0]] ; 3
tensorsolve.axes: None ; (0,) ; (1,) ; (5,) ; 0
convolve.a convolve.v correlate.a correlate.v: VECTORS
convolve.mode correlate.mode: 'full' ; 'same' ; 'valid' ; 'x' ; None ; 0 ; 1 ; 2 ; 3 ; 'f'
norm.ord matrix_norm.ord vector_norm.ord cond.p: None ; 2 ; 1 ; -1 ; -2 ; 0 ; 3 ; np.inf ; -np.inf ; 0.5 ; 'fro' ;
    'nuc' ; 'x' ; np.float64(3) ; np.float32(2) ; 'inf' ; -0.5 ; np.nan ; (1,)
qr.mode: 'reduced' ; 'complete' ; 'r' ; 'x' ; None
eigh.UPLO eigvalsh.UPLO: 'L' ; 'U' ; 'l' ; 'X' ; None ; 1
matrix_power.n: 2 ; 0 ; -1 ; 3 ; np.int64(2) ; 1.5 ; 'a' ; True ; None ; -2
pad.pad_width: WIDTHS
pad.mode: 'constant' ; 'edge' ; 'reflect' ; 'symmetric' ; 'wrap' ; 'x' ; None
tile.reps: 2 ; (2, 1) ; (1, 1, 2) ; 0 ; () ; -1 ; 1.5 ; np.int64(2) ; [2]
repeat.repeats: 2 ; 0 ; [1, 2] ; [1, 0, 2] ; np.int64(1) ; -1 ; 1.5 ; 'a' ; [2]
roll.shift: INTEGER ; (1, 2) ; (1, 0)
rot90.axes: (0, 1) ; (1, 0) ; (0, 0) ; (0,) ; (0, 5) ; (-1, 0) ; 0
split.indices_or_sections array_split.indices_or_sections: 1 ; 2 ; 3 ; [1] ; [1, 2] ; 0 ; -1 ; [] ; 1.5 ; [5] ; (1,)
    ; np.array([1]) ; [2, 1] ; [-1] ; np.int64(1) ; 'a' ; None
hsplit.indices_or_sections vsplit.indices_or_sections dsplit.indices_or_sections: 1 ; 2 ; [1] ; 0 ; 1.5 ; []
take.mode choose.mode: 'raise' ; 'wrap' ; 'clip' ; 'x' ; None
take_along_axis.indices: np.argsort({x}, {axis}) ; np.zeros(({x}).shape, int) ; PLACES
choose.a: {ints} ; {mask} ; 0 ; [0, 1] ; [2] ; {x}
choose.choices: SEVERAL
compress.condition extract.condition: {mask} ; [True, False] ; [True] ; {ints} ; {x} ; True
select.condlist: [{mask}] ; [{mask}, {mask}] ; [] ; [{ints}] ; {mask} ; [True] ; [{x}]
select.choicelist: [{x}] ; [{x}, {y}] ; [{num}] ; [] ; {x}
piecewise.condlist: [{mask}] ; {mask} ; [{mask}, {mask}] ; [] ; True ; [True] ; {ints}
piecewise.funclist: [np.sin] ; [1.0, np.exp] ; [0.0] ; [] ; [lambda x: x * x, 2.0, 3.0] ; np.sin
where.condition: {mask} ; {x} ; {ints} ; True ; {x} > 0 ; [True, False] ; 'a'
where.x where.y: {x} ; {y} ; {num} ; None ; np.int64(1)
clip.a: {x}
partition.kth argpartition.kth: 0 ; 1 ; [0, 1] ; -1 ; 9 ; 1.5 ; None ; np.int64(0) ; ()
searchsorted.v digitize.bins: {x} ; {num} ; {list} ; {row}
searchsorted.side: 'left' ; 'right' ; 'x' ; None
searchsorted.sorter: None ; np.argsort({x}) ; [0]
quantile.q nanquantile.q: 0.5 ; 0.0 ; 1.0 ; [0.25, 0.5] ; 0.3 ; [] ; 1.5 ; -0.1 ; np.nan ; 'a' ; [[0.1], [0.9]]
percentile.q nanpercentile.q: 50 ; 0 ; 100.0 ; [25, 50] ; 30.5 ; [] ; 101 ; -1 ; np.nan ; 'a'
quantile.method percentile.method nanquantile.method nanpercentile.method: 'linear' ; 'lower' ; 'higher' ; 'x' ;
    'midpoint' ; 'nearest' ; 'hazen' ; 'inverted_cdf' ; 'median_unbiased' ; None
interp.x: {x} ; {num}
interp.xp: [0.0, 1.0] ; [0.0, 0.5, 1.0] ; [0.0] ; [] ; [[0.0], [1.0]] ; 1.0
interp.fp: [2.0, 4.0] ; [2.0, -1.0, 4.0] ; T([2.0, 4.0]) ; T([2.0]) ; [] ; {row} ; 2.0
interp.right: NUMBER
logspace.base: 2.0 ; 10 ; np.float32(2) ; 0.5 ; 'a'
linspace.start linspace.stop logspace.start logspace.stop geomspace.start geomspace.stop: {x} ; {num} ; {y} ; {row}
trapezoid.x gradient.varargs: {row} ; {x} ; 1.0 ; 0.5 ; None ; 'a' ; {y}
gradient.axis: AXES
vander.x: VECTORS
polyval.p: {row} ; {row} ; {list} ; [1.0, 2.0]
polyval.x: {x} ; {row} ; {num} ; {list}
insert.values append.values: {num} ; {y} ; {x} ; {list} ; 'a'
block.arrays: [[{x}, {x}], [{x}, {y}]] ; [{x}, {x}] ; {x} ; [] ; [[{x}], {x}] ; [[]]
meshgrid.indexing: 'xy' ; 'ij' ; 'x' ; None
einsum.operands: {einsum} ; {einsum} ; {einsum} ; {x}, [0, 1] ; {x}, [0], {x}, [0], [] ; {x}, [0, 0] ; {x} ; '...',
    {x} ; 'i,i', {x} ; '', {x} ; {x}, {x} ; 'i->', {x}, {x}
bincount.x: {ints} ; [0, 1] ; [] ; [-1] ; [0.5] ; [[0]]
astype.dtype: DTYPE
piecewise.args:
result_type.arrays_and_dtypes: {x} ; {x}, {num} ; {x}, 'f4'
lexsort.keys histogramdd.sample: {x} ; [{x}, {x}]
histogram.bins histogram2d.bins histogramdd.bins histogram_bin_edges.bins: 3 ; [0.0, 1.0] ; 'auto' ; 0 ; 1.5
histogram.range histogram2d.range histogramdd.range histogram_bin_edges.range: (0.0, 1.0) ; None ; (1, 0) ; 1
corrcoef.y cov.y: {x} ; None ; {row} ; {y}
unwrap.p: {x}
unwrap.discont: 1.0 ; 0.5 ; np.float32(2) ; 'a' ; None
unwrap.period: 1.0 ; 2 ; 0.0 ; np.float32(2) ; 'a' ; None
multi_dot.arrays: [{x}, {columns}] ; [{x}, {x}, {x}] ; [{x}] ; [] ; {x} ; [{row}, {x}] ; [{x}, {x}, {row}]
diag.k diagflat.k tril.k triu.k rot90.k: INTEGER
ldexp.x2: {ints} ; 1 ; -2 ; 1.5 ; [1, 2]
may_share_memory.max_work: 0
sliding_window_view.window_shape: 1 ; 2 ; (1, 1) ; (2, 1) ; 9 ; 0 ; -1 ; 1.5 ; (2,) ; () ; None
sliding_window_view.axis: AXES
sum.axis mean.axis max.axis min.axis amax.axis amin.axis prod.axis var.axis std.axis any.axis all.axis
    count_nonzero.axis nansum.axis nanprod.axis nanmean.axis nanvar.axis nanstd.axis nanmax.axis nanmin.axis
    ptp.axis median.axis nanmedian.axis quantile.axis percentile.axis nanquantile.axis nanpercentile.axis
    average.axis squeeze.axis flip.axis norm.axis vector_norm.axis size.axis roll.axis: AXES
"""


def _read(text: str) -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for line in re.sub(r"\n +", " ", text.strip()).splitlines():
        names, _, templates = line.partition(":")
        found = [part.strip() for part in templates.split(" ; ")]
        for name in names.split():
            table[name] = [
                each for part in found for each in (table[part] if part.isupper() and part.isalpha() else [part])
            ]
    return table


TABLE = _read(TEXT)
