"""The flat tables that the kernels work on, their columns, and how they reach compiled code.

Floats are float32 or float64 throughout a network (real). n = neurons of all layers, s = synapses, p = plastic
synapses (which come first), x = pre traces (one per plastic group and pre neuron), y = post traces (one per rule and
post neuron).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

Reals = NDArray[Any]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

# compiled code that only compiled code calls: without what a call from Python needs, which takes time to compile
inner = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)

TINY = np.float32(1e-30)  # smaller state is set to 0: denormal numbers are a hundred times slower
ZERO = np.float32(0.0)
ONE = np.float32(1.0)
LARGEST_INPUT = np.float32(2**24)  # counts up to here are exact in float32

# columns of layers; L_INPUT: first element of the inputs, or -1
L_START, L_SIZE, L_KIND, L_INPUT, L_REF_STEPS, L_SUBSTEPS = 0, 1, 2, 3, 4, 5
INPUT, LEAKY, ADAPTIVE, CONDUCTANCE, IZHIKEVICH, ADEX, POISSON = 0, 1, 2, 3, 4, 5, 6  # L_KIND
# columns of cells, one row per layer; the second line names what other types keep there
DECAY_MEM, DECAY_SYN, COUPLING, V_INF, DRIFT, V_RESET, BETA, DECAY_ADAPT = 0, 1, 2, 3, 4, 5, 6, 7
E_EXC, E_INH, DECAY_INH, C_A, C_B, C_D, PART, DELTA_T, V_T, KICK, LEAK = 6, 7, 8, 6, 7, 8, 9, 10, 11, 12, 13
LOG_SILENT = 0  # of a Poisson layer: log(1 - probability of a spike)
CELL_COLUMNS = 14
# rows of state and of extra
V, CURRENT, REWARD = 0, 1, 2
INHIBITION, ADAPTATION = 0, 1
# columns of groups: the synapses of one connection with one delay
G_LAYER, G_START, G_LAG, G_ROW, G_RULE, G_TRACE, G_POST_START, G_POST_SIZE, G_SPLIT = 0, 1, 2, 3, 4, 5, 6, 7, 8
# columns of rules: one row per plastic connection
R_FIRST, R_LAST, R_LAYER, R_START, R_SIZE, R_COLUMN, R_POST_TRACE, R_PRE_FIRST, R_PRE_LAST = 0, 1, 2, 3, 4, 5, 6, 7, 8
R_THREE_FACTOR, R_SAME_STEP, R_DECAYS, R_STALE, R_FULL = 9, 10, 11, 12, 13  # R_FULL: consecutive full rows
R_KIND, R_LEARNS, R_NEAREST, R_TRIPLET, R_TERM, R_TERMS, R_PAST, R_WINDOW, R_CLOCK = 14, 15, 16, 17, 18, 19, 20, 21, 22
RULE_COLUMNS = 23
EAGER, DEFERRED, PRODUCTS = 0, 1, 2  # R_KIND
# columns of rates
A_PLUS, A_MINUS, KEEP_PRE, KEEP_POST, KEEP_ELIGIBILITY, RATE, W_MIN, W_MAX, KEEP_WEIGHT = 0, 1, 2, 3, 4, 5, 6, 7, 8
A3_PLUS, A3_MINUS, KEEP_PRE_SLOW, KEEP_POST_SLOW, KEEP_THIRD = 9, 10, 11, 12, 13
X1_IMPULSE, X2_IMPULSE, Y1_IMPULSE, Y2_IMPULSE, Y3_IMPULSE = 0, 1, 9, 10, 14  # of a sum of products
RATE_COLUMNS = 15
# rows of plastic; the tag of a sum of products lives where others keep their eligibility
ELIGIBILITY, GAIN = 0, 1
# columns of scalings and of scaling_rates
S_FIRST, S_LAST, S_LAYER, S_START, S_SIZE, S_RATE, S_PERIOD, S_PHASE, S_LEARNS, S_RULE = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
S_KEEP, S_JUMP, S_GAIN, S_TARGET, S_MIN, S_MAX = 0, 1, 2, 3, 4, 5
# elements of counters
STEP, OPERATIONS, UPDATES = 0, 1, 2


class Tables(NamedTuple):
    """All arrays of a network, in the order of the frame."""

    layers: Longs  # (layers, 6)
    cells: Reals  # (layers, 14) real
    groups: Longs  # (groups, 9)
    rules: Longs  # (rules, 23)
    rates: Reals  # (rules, 15) real
    state: Reals  # (3, n) real
    extra: Reals  # (2, n) real
    threshold: Reals  # (n,) real
    refractory: Ints  # (n,) steps still to be held
    fired: NDArray[np.uint8]  # (n,) scratch
    weight: Reals  # (s,) real
    post: Ints  # (s,) neuron
    row: Longs  # first synapse of each pre neuron, size + 1 entries per group
    plastic: Reals  # (2, p) real
    column: Longs  # first entry of each post neuron in column_entry, size + 1 entries per rule
    column_entry: Ints  # (2, p) synapse, element of pre_trace
    pre_trace: Reals  # (x,) real
    post_trace: Reals  # (y,) real
    slow: Reals  # (x + 2 y,) real: slow pre traces, slow post traces, third post traces
    stamp: Longs  # (x,) clock at which a deferred rule's pre trace had its value
    trace_row: Longs  # (x,) element of row
    sums: NDArray[np.float64]  # (2, y) potentiation owed by deferred rules: in this window, in the one before
    past: NDArray[np.float64]  # sums at the beginning of each step of the last window, (window + 1, size) per rule
    terms: Longs  # (terms, 3) of sums of products: variable, dependency, factors up to here
    factors: Longs  # (factors, 2): variable, whether only its sign counts
    coefficients: Reals  # (terms + factors,) real: of the terms, constants of the factors
    scalings: Longs  # (scalings, 10)
    scaling_rates: Reals  # (scalings, 6) real
    mean_rate: Reals  # real, Hz, of the post neurons of every scaling
    source: NDArray[np.uint64]  # (2, layers) of Poisson layers: random state, silent draws still to come
    line: Ints  # (n_inputs,) layer of every input
    inputs: Reals  # (n_inputs,) float32, as the caller gave them
    sent_index: Ints  # (depth, n) indices in the layer, each layer's packed from its start
    sent_value: Reals  # (depth, n) float32
    sent_count: Ints  # (depth, layers)
    spikes: Ints  # (n,) the spikes of the last step
    spike_counts: Longs  # (n,)
    counters: Longs  # (3,)
    owed: Reals  # (size of the largest rule,) real, scratch: what a row has to gain


# the tables by number, for the functions at the end
LAYERS, CELLS, GROUPS, RULES, RATES, STATE, EXTRA, THRESHOLD = range(8)
REFRACTORY, FIRED, WEIGHT, POST, ROW, PLASTIC, COLUMN, COLUMN_ENTRY = range(8, 16)
PRE_TRACE, POST_TRACE, SLOW, STAMP, TRACE_ROW, SUMS, PAST, TERMS = range(16, 24)
FACTORS, COEFFICIENTS, SCALINGS, SCALING_RATES, MEAN_RATE, SOURCE, LINE, INPUTS = range(24, 32)
SENT_INDEX, SENT_VALUE, SENT_COUNT, SPIKES, SPIKE_COUNTS, COUNTERS, OWED = range(32, 39)


@intrinsic
def pointer(_typing: Any, _address: Any) -> Any:
    """An address as a pointer."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.intp), generate


def frame_of(tables: Tables) -> Longs:
    """(3 * fields,) address and shape of every table: one argument instead of forty, which saves 2 us a call.

    The tables must be kept as long as the frame is used, and never be replaced.
    """
    arrays: tuple[NDArray[Any], ...] = tuple(tables)
    frame = np.zeros((len(arrays), 3), np.int64)
    for entry, array in zip(frame, arrays, strict=True):
        if not array.flags.c_contiguous:
            raise ValueError("a table is not contiguous")
        entry[0] = array.ctypes.data
        entry[1 : 1 + array.ndim] = array.shape
    return frame.reshape(-1)


class Memory(NamedTuple):
    """What compiled functions pass on: the frame, and an empty array of the network's type of floats."""

    frame: Longs
    zero: Reals


@inner
def memory(frame: Longs, real: Any) -> Memory:
    """A Memory of a frame, for one type of floats."""
    return Memory(frame, carray(pointer(frame[0]), (0,), real))


def _flat(kind: Any) -> Any:
    @inner
    def flat(t: Memory, k: int) -> Any:
        return carray(pointer(t.frame[3 * k]), (t.frame[3 * k + 1],), kind)

    return flat


def _table(kind: Any) -> Any:
    @inner
    def table(t: Memory, k: int) -> Any:
        return carray(pointer(t.frame[3 * k]), (t.frame[3 * k + 1], t.frame[3 * k + 2]), kind)

    return table


@inner
def reals(t: Memory, k: int) -> Any:
    """A table of one dimension of the network's floats."""
    return carray(pointer(t.frame[3 * k]), (t.frame[3 * k + 1],), t.zero.dtype)


@inner
def table_reals(t: Memory, k: int) -> Any:
    """A table of two dimensions of the network's floats."""
    return carray(pointer(t.frame[3 * k]), (t.frame[3 * k + 1], t.frame[3 * k + 2]), t.zero.dtype)


ints, longs, bytes_of, doubles, singles = (
    _flat(kind) for kind in (np.int32, np.int64, np.uint8, np.float64, np.float32)
)
table_ints, table_longs, table_doubles, table_singles = (
    _table(kind) for kind in (np.int32, np.int64, np.float64, np.float32)
)
table_words, bits = _table(np.uint64), _flat(np.uint32)
