"""A table as a telephone shows it: there is no row of heads, so each cell says which column it is of."""

from __future__ import annotations

from markupsafe import Markup

from web.watch.paint import headed

ROW = Markup(
    '<tr role="row"><th scope="row">Choir</th><td role="cell">12</td><td role="cell"><a>Look</a></td></tr>'
)


def test_each_cell_says_which_column_it_is_of_and_one_without_a_head_says_nothing() -> None:
    found = headed(ROW + ROW, ["Group", "People", ""])
    assert found.count('<td data-head="People" role="cell">12</td>') == 2
    assert found.count('<td role="cell"><a>Look</a></td>') == 2


def test_the_head_of_a_column_stays_text() -> None:
    assert 'data-head="&#34;&lt;b&gt;"' in headed(Markup("<tr><td>1</td></tr>"), ['"<b>'])


def test_a_row_that_is_longer_than_its_heads_stays_as_it_is() -> None:
    assert headed(Markup("<tr><td>1</td><td>2</td></tr>"), ["One"]) == (
        '<tr><td data-head="One">1</td><td>2</td></tr>'
    )
