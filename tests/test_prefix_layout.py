"""Where the tokens of a group go: rows, trees and branches; and the shuffle that keeps groups together."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from emollm.train.prefix_layout import Branching, Rows, arrange, branchings, find_groups, pack  # noqa: E402
from emollm.train.shared_prefix import shuffle_groups  # noqa: E402


def rows_of(prompts: list[list[int]], completions: list[list[int]]) -> Rows:
    """Prompts padded on the left, completions on the right."""
    before, after = max(map(len, prompts)), max(map(len, completions))
    ids, mask = torch.zeros(len(prompts), before + after, dtype=torch.long), []
    for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        left, right = before - len(prompt), after - len(completion)
        mask.append([0] * left + [1] * (len(prompt) + len(completion)) + [0] * right)
        ids[row, left : before + len(completion)] = torch.tensor([*prompt, *completion])
    return Rows(ids, torch.tensor(mask), after, {})


LONG = [1, 2, 3, 4, 5]
ROWS = rows_of([LONG, [6, 7]] * 3, [[21, 22, 23], [31], [41, 42], [51, 52], [61], [71]])
GROUPS = [[0, 2, 4], [1, 3, 5]]


def test_a_row_reads_prompt_then_completions_and_each_sees_its_own() -> None:
    layout = arrange(ROWS, GROUPS, even=1e9)
    assert layout is not None
    tokens = ROWS.input_ids.flatten()[layout.source]
    # The last token of a prompt stands before each completion: it predicts the first token of each.
    assert tokens[0].tolist()[:9] == [1, 2, 3, 4, 5, 21, 22, 5, 41]
    assert layout.branch[0].tolist()[:9] == [0, 0, 0, 0, 1, 1, 1, 2, 2]
    assert layout.first_rows == [0, 1]
    mask = layout.mask(torch.float32)
    assert mask.shape == (len(tokens), 1, tokens.shape[1], tokens.shape[1])
    seen = [row.nonzero()[:, 0].tolist() for row in mask[0, 0] == 0]
    assert seen[6] == [0, 1, 2, 3, 4, 5, 6]
    assert seen[8] == [0, 1, 2, 3, 7, 8]
    predicting, predicted = layout.scored()
    scored = zip(tokens.flatten()[predicting].tolist(), ROWS.input_ids.flatten()[predicted].tolist(), strict=True)
    assert list(scored) == [
        (5, 21),
        (21, 22),
        (22, 23),
        (5, 41),
        (41, 42),
        (5, 61),
        (7, 31),
        (7, 51),
        (51, 52),
        (7, 71),
    ]


def test_groups_have_the_same_prompt_and_the_same_pictures() -> None:
    prompts = [(1, 2), (1, 2), (3,), (1, 2), (3,)]
    assert find_groups(prompts, {}) == [[0, 1, 3], [2, 4]]
    pictures = [torch.full((2, 2), float(value)) for value in (0, 1, 0, 0, 0)]
    assert find_groups(prompts, {"pixel_values": pictures}) == [[0, 3], [1], [2, 4]]
    assert find_groups(prompts, {"pixel_values": torch.stack(pictures), "num_images": [1, 1, 1, 2, 1]}) == [
        [0],
        [1],
        [2, 4],
        [3],
    ]


def test_a_shuffle_keeps_groups_together_and_rows_whole() -> None:
    rows = 12
    batch = {
        "prompt_ids": torch.tensor([[2, 5, 6 + row % 3] for row in range(rows)]),
        "prompt_mask": torch.ones(rows, 3, dtype=torch.long),
        "completion_ids": torch.arange(rows)[:, None],
        "pixel_values": [torch.full((2, 2), float(row % 6)) for row in range(rows)],
        "num_images": [1] * rows,
        "num_items_in_batch": torch.tensor(5),
        "nothing": None,
    }
    torch.manual_seed(3)
    drawn = torch.randperm(rows).tolist()
    after = torch.rand(1)
    torch.manual_seed(3)
    shuffled = shuffle_groups(batch)
    assert torch.rand(1) == after
    order = shuffled["completion_ids"][:, 0].tolist()
    assert sorted(order) == list(range(rows))
    groups = [row % 6 for row in order]
    assert groups[::2] == groups[1::2]
    assert groups[::2] == list(dict.fromkeys(row % 6 for row in drawn))
    assert [int(value[0, 0]) for value in shuffled["pixel_values"]] == groups
    assert (shuffled["num_items_in_batch"], shuffled["nothing"]) == (5, None)


def test_rows_are_as_long_as_the_longest_and_few() -> None:
    trees = [Branching([row], width) for row, width in enumerate((10, 3, 7, 6, 4))]
    packed = pack(trees)
    assert [[tree.width for tree in row] for row in packed] == [[10], [7, 3], [6, 4]]


def test_a_group_whose_attention_costs_too_much_is_split() -> None:
    prompts, lengths = [101] * 8, [100] * 8
    [tree] = branchings(range(8), prompts, lengths, even=1e5)
    assert tree == Branching(list(range(8)), 100 + 800)
    assert len(branchings(range(8), prompts, lengths, even=400.0)) == 4
    assert branchings(range(2), prompts, [0, 0], even=1e5) == []


def test_where_nothing_is_saved_there_is_no_layout() -> None:
    assert arrange(ROWS, GROUPS, even=1e6) is not None
    assert arrange(ROWS.take([0, 2, 4]), [[0], [1], [2]], even=1e6) is None
    masked = ROWS._replace(attention_mask=ROWS.attention_mask * (torch.arange(ROWS.attention_mask.shape[1]) < 5))
    assert arrange(masked, GROUPS, even=1e6) is None
