"""From the rules of the synapses to the flat arrays that the learning kernel runs on."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.backends.loihi import learn_kernel as lk
from neuro_robot.snn.backends.loihi import rules
from neuro_robot.snn.backends.loihi.description import ChipNetwork, Synapses
from neuro_robot.snn.backends.loihi.kernel import G_PRE_SIZE
from neuro_robot.snn.backends.loihi.registers import MIXED
from neuro_robot.snn.backends.loihi.tables import Tables, layer_slices


class LearnTables(NamedTuple):
    """The learning kernel's own arguments, in its order. r = rules, p = plastic synapses, n = neurons of all layers."""

    rules: NDArray[np.int64]  # (r, RULE_COLUMNS)
    keeps: NDArray[np.int64]  # (r, 5) decay factors of x1, x2, y1, y2, y3 in 65536ths
    impulses: NDArray[np.int64]  # (r, 5) in 256ths
    products: NDArray[np.int64]  # (terms, PRODUCT_COLUMNS)
    x: NDArray[np.int32]  # (2, pre traces): one for each pre neuron and delay
    y: NDArray[np.int32]  # (3, post traces)
    synapse: NDArray[np.int32]  # (2, p) weight, tag
    column: NDArray[np.int64]  # first entry of each post neuron, size + 1 per rule
    entry: NDArray[np.int32]  # (2, p) synapse in the kernel's tables, pre trace
    reward: NDArray[np.float64]  # (n,)
    reward_sum: NDArray[np.float64]  # (post traces,)
    scale: NDArray[np.float64]  # (r,) reward of a trace of 127
    clock: NDArray[np.int64]  # (3,) steps, seed, updates


def build(network: ChipNetwork, tables: Tables, places: dict[str, slice], seed: int) -> LearnTables | None:
    """The learning tables at rest, or None when nothing learns."""
    slices = layer_slices(tuple(network.layers.values()))
    number = {name: k for k, name in enumerate(network.layers)}
    made = _Growing()
    group = 0
    for told in network.synapses.values():
        groups = slice(group, group + np.unique(told.delays).size)
        group = groups.stop
        if told.rule is not None:
            made.add(told, told.rule, places[told.name], tables.groups[groups], groups, slices, number)
    if not made.rules:
        return None
    return LearnTables(
        rules=np.array(made.rules, np.int64),
        keeps=np.array(made.keeps, np.int64),
        impulses=np.array(made.impulses, np.int64),
        products=np.array(made.products, np.int64).reshape(-1, lk.PRODUCT_COLUMNS),
        x=np.zeros((2, made.x), np.int32),
        y=np.zeros((3, made.y), np.int32),
        synapse=np.stack([np.concatenate(made.weights), np.zeros(made.z, np.int64)]).astype(np.int32),
        column=np.concatenate(made.columns),
        entry=np.concatenate(made.entries, axis=1).astype(np.int32),
        reward=np.zeros(tables.cells.shape[1]),
        reward_sum=np.zeros(made.y),
        scale=np.array(made.scale),
        clock=np.array([0, seed, 0], np.int64),
    )


class _Growing:
    """The tables, rule by rule."""

    def __init__(self) -> None:
        self.rules: list[tuple[int, ...]] = []
        self.keeps: list[list[int]] = []
        self.impulses: list[list[int]] = []
        self.products: list[tuple[int, ...]] = []
        self.weights: list[NDArray[np.int64]] = []
        self.columns: list[NDArray[np.int64]] = []
        self.entries: list[NDArray[np.int64]] = []
        self.scale: list[float] = []
        self.x = self.y = self.z = self.column = 0

    def add(
        self, told: Synapses, rule: rules.ChipRule, place: slice, table: NDArray[np.int64], groups: slice,
        slices: dict[str, slice], number: dict[str, int],
    ) -> None:  # fmt: skip
        """One rule; `table` holds its groups."""
        post, size = slices[told.post.name].start, told.post.size
        x_size, first_product = int(table[:, G_PRE_SIZE].sum()), len(self.products)
        self.products += [_product_row(product) for product in rule.products]
        self.rules.append((
            place.start, place.stop, groups.start, groups.stop, self.x, self.y, post, size, number[told.post.name],
            first_product, len(self.products), rule.w_min, rule.w_max, max(told.weight_exp, 0),
            int(told.sign_mode == MIXED), 1, rule.order, rule.reward, rule.reward_period, self.z, self.column, x_size,
        ))  # fmt: skip
        self.keeps.append([round(65536 * math.exp(-1.0 / tau)) if tau > 0 else 65536 for tau in rule.taus])
        self.impulses.append([round(256 * impulse) for impulse in rule.impulses])
        self.scale.append(rule.reward_scale)
        self.weights.append(told.weights)
        delay_number = np.unique(told.delays, return_inverse=True)[1]
        trace = self.x + delay_number * told.pre.size + told.pre_index
        by_post = np.argsort(told.post_index, kind="stable")
        counts = np.bincount(told.post_index, minlength=size)
        self.columns.append(self.z + np.concatenate([[0], np.cumsum(counts)]))
        self.entries.append(np.stack([place.start + by_post, trace[by_post]]))
        self.x, self.y, self.z = self.x + x_size, self.y + size, self.z + told.weights.size
        self.column += size + 1


def _product_row(product: rules.ChipProduct) -> tuple[int, ...]:
    row = [
        int(product.target == "t"), product.mantissa, product.exponent, product.shift, product.dependency,
        product.period, len(product.factors),
    ]  # fmt: skip
    for factor in product.factors:
        row += [rules.VARIABLES.index(factor.variable), round(factor.constant), int(factor.sign)]
    return tuple(row + [0] * (lk.PRODUCT_COLUMNS - len(row)))
