"""How the completions of a group share one prompt in a row of tokens: which token goes where, and what it sees.

    groups = find_groups(rows)                   which rows of a batch have the same prompt and pictures
    layout = arrange(rows, groups, even)         where their tokens go; None where nothing is saved
    mask = layout.mask(torch.float32)            (R, 1, L, L)

TRL repeats the prompt before each completion: the plain layout, (B, P + C), prompts padded on the left and completions
on the right. Here a row reads [prompt | completion 1 | … | completion G]. Every token in it is a copy of one in the
plain layout, keeps its position there, and sees what it saw there: the prompt, and its own completion so far.

The idea is Prefix Grouper's (Liu et al. 2025, arXiv:2506.05433), which rewrites a model's attention; a mask will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PADDING = -1
MULTIPLE = 8
"""Rows are this many tokens long, or a multiple: masks of other widths are copied in every layer on a GPU."""


class Rows(NamedTuple):
    """Rows of a batch in the plain layout. Each starts with its prompt and ends with its completion."""

    input_ids: Tensor
    """(B, P + C)"""
    attention_mask: Tensor
    """(B, P + C); 0 on padding, which is on the left of prompts and on the right of completions."""
    num_completion: int
    """C"""
    pictures: dict[str, Any]
    """What the model takes beside tokens: for each field, one value a row; empty without pictures."""
    token_types: Tensor | None = None
    """(B, P + C); which tokens stand for pictures, where the model asks for it."""

    @property
    def num_prompt(self) -> int:
        """P."""
        return int(self.input_ids.shape[1]) - self.num_completion

    def take(self, numbers: Sequence[int]) -> Rows:
        """Return these rows."""
        at = list(numbers)
        types = None if self.token_types is None else self.token_types[at]
        pictures = {name: take(values, at) for name, values in self.pictures.items()}
        return Rows(self.input_ids[at], self.attention_mask[at], self.num_completion, pictures, types)


def take(values: Any, numbers: list[int]) -> Any:
    """Return those values of a tensor or a list."""
    return [values[number] for number in numbers] if isinstance(values, list) else values[numbers]


def find_groups(prompts: Sequence[tuple[int, ...]], pictures: dict[str, Any]) -> list[list[int]]:
    """Return the numbers of the rows that have the same prompt and the same pictures, group by group."""
    groups: list[list[int]] = []
    alike: dict[tuple[int, ...], list[list[int]]] = {}
    for row, prompt in enumerate(prompts):
        known = alike.setdefault(prompt, [])
        group = next((group for group in known if _same_pictures(pictures, group[0], row)), None)
        if group is None:
            group = []
            known.append(group)
            groups.append(group)
        group.append(row)
    return groups


def _same_pictures(pictures: dict[str, Any], one: int, other: int) -> bool:
    return all(_equal(values[one], values[other]) for values in pictures.values())


def _equal(one: Any, other: Any) -> bool:
    return bool(one.equal(other)) if hasattr(one, "equal") else bool(one == other)


class Branching(NamedTuple):
    """Rows of one group that share a prompt in one row of the layout, and how many tokens they take there."""

    rows: list[int]
    width: int


class Layout(NamedTuple):
    """Where the tokens of the plain layout go."""

    source: Tensor
    """(R, L) which token of the flattened plain layout stands there."""
    tree: Tensor
    """(R, L) which prompt it belongs to, counted over all rows; PADDING on padding."""
    branch: Tensor
    """(R, L) which completion it belongs to, counted from 1; 0 in the shared part."""
    first_rows: list[int]
    """(number of trees) a row of the plain layout that has the pictures of each tree."""

    def scored(self) -> tuple[Tensor, Tensor]:
        """Return the places in the flattened layout (N,) whose next token is scored, and where the plain one has it."""
        predicting = self.branch.flatten().nonzero()[:, 0]
        return predicting, self.source.flatten()[predicting] + 1

    def mask(self, dtype: torch.dtype) -> Tensor:
        """Return what is added to the attention scores: (R, 1, L, L), 0 where a token sees another."""
        import torch

        place = torch.arange(self.source.shape[1], device=self.source.device)
        earlier = place[:, None] >= place[None, :]
        same_tree = self.tree[:, :, None] == self.tree[:, None, :]
        same_branch = self.branch[:, :, None] == self.branch[:, None, :]
        seen = earlier & same_tree & (same_branch | (self.branch == 0)[:, None, :])
        mask = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
        return mask.masked_fill_(~seen, torch.finfo(dtype).min)[:, None]


def arrange(rows: Rows, groups: Sequence[Sequence[int]], even: float) -> Layout | None:
    """Lay the rows out with one prompt a group, or return None where the plain layout costs no more.

    `even` is the length at which a token's attention costs as much as all weights, see `cost`. Completions without
    tokens are left out; without any token to score there is no layout.
    """
    lengths = rows.attention_mask[:, rows.num_prompt :].sum(1).tolist()
    prompts = rows.attention_mask[:, : rows.num_prompt].sum(1).tolist()
    trees = [tree for group in groups for tree in branchings(group, prompts, lengths, even)]
    if not trees:
        return None
    packed = pack(trees)
    longest = max(sum(tree.width for tree in row) for row in packed)
    width = -(-longest // MULTIPLE) * MULTIPLE
    num_plain, plain_width = rows.input_ids.shape
    if cost(len(packed), width, even) >= cost(num_plain, plain_width, even):
        return None
    return lay_out(packed, width, prompts, lengths, rows)


def cost(num_rows: int, width: int, even: float) -> float:
    """Return what rows of that many tokens cost, in tokens without attention, which grows with the width."""
    return num_rows * width * (1 + width / even)


def branchings(group: Sequence[int], prompts: list[int], lengths: list[int], even: float) -> list[Branching]:
    """Return a group as one tree, or as several where one would be so long that its attention costs too much.

    Completions in a row do not see each other, but attention is computed over the whole row. With n completion tokens
    and p of the prompt in it, a completion token costs (p + n)(1 + (p + n) / even) / n, least at n = √(p (p + even)).
    """
    members = [row for row in group if lengths[row]]
    if not members:
        return []
    shared = prompts[group[0]] - 1  # the last token of the prompt is in every branch: it predicts the first of each
    best = max(1.0, (shared * (shared + even)) ** 0.5)
    num_trees = min(len(members), max(1, round(sum(lengths[row] for row in members) / best)))
    parts = [members[start::num_trees] for start in range(num_trees)]
    return [Branching(part, shared + sum(lengths[row] for row in part)) for part in parts]


def pack(trees: Sequence[Branching]) -> list[list[Branching]]:
    """Return the trees in rows that are no longer than the longest of them: first fit, longest first."""
    width = max(tree.width for tree in trees)
    rows: list[list[Branching]] = []
    for tree in sorted(trees, key=lambda tree: -tree.width):
        row = next((row for row in rows if sum(one.width for one in row) + tree.width <= width), None)
        if row is None:
            row = []
            rows.append(row)
        row.append(tree)
    return rows


def lay_out(
    packed: Sequence[Sequence[Branching]], width: int, prompts: list[int], lengths: list[int], rows: Rows
) -> Layout:
    """Return the layout of these trees, padded to the width with copies of a prompt's last token."""
    import torch

    end = rows.num_prompt - 1
    stride = rows.input_ids.shape[1]
    table: list[Tensor] = []  # one row each: source, tree, branch
    tree_number = -1
    for row in packed:
        parts = []
        for tree in row:
            tree_number += 1
            first = tree.rows[0] * stride
            parts.append(_segment(first + end - prompts[tree.rows[0]] + 1, first + end, tree_number, 0))
            for branch, member in enumerate(tree.rows, 1):
                start = member * stride + end
                parts.append(_segment(start, start + lengths[member], tree_number, branch))
        padding = torch.tensor([[end], [PADDING], [0]])
        tokens = torch.cat(parts, 1)
        table.append(torch.cat([tokens, padding.expand(3, width - tokens.shape[1])], 1))
    source, trees, branches = torch.stack(table, 1).to(rows.input_ids.device)
    return Layout(source, trees, branches, [tree.rows[0] for row in packed for tree in row])


def _segment(start: int, stop: int, tree: int, branch: int) -> Tensor:
    """Return (3, stop - start): places in the plain layout, and the tree and the branch they belong to."""
    import torch

    places = torch.arange(start, stop)
    return torch.stack([places, torch.full_like(places, tree), torch.full_like(places, branch)])
