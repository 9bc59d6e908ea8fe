from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from etamu.execute.executor import Tree as Growing
from etamu.execute.executor import added_in_order


class Tree:
    """Remembers how it was added."""

    def __init__(self, shape: object) -> None:
        self.shape = shape

    def __add__(self, other: Tree) -> Tree:
        return Tree((self.shape, other.shape))


def leaves(shape: object) -> list[int]:
    return leaves(shape[0]) + leaves(shape[1]) if isinstance(shape, tuple) else [shape]


def depth(shape: object) -> int:
    return 1 + max(depth(shape[0]), depth(shape[1])) if isinstance(shape, tuple) else 0


@given(st.integers(1, 300))
def test_parts_are_added_once_in_order_and_evenly(count: int) -> None:
    shape = added_in_order(Tree(i) for i in range(count)).shape
    assert leaves(shape) == list(range(count))
    assert depth(shape) <= count.bit_length() + 1


def test_the_tree_depends_on_the_number_of_parts_alone() -> None:
    assert added_in_order(map(Tree, range(6))).shape == (((0, 1), (2, 3)), (4, 5))


@given(st.permutations(range(13)))
def test_the_tree_is_the_same_in_whatever_order_parts_come(order: list[int]) -> None:
    growing = Growing()
    for number in order:
        growing.add(number, Tree(number))
    assert growing.total().shape == added_in_order(map(Tree, range(13))).shape
