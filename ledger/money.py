"""Budgets and spend. Nothing is asked once a delivery: starts append what they cost, a claim asks once for all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, func, insert, select, update

from broker.delivery import State
from broker.ports import BudgetRow, SpendRow
from broker.values import AccountRow
from ledger import tables as t
from ledger.dialect import Column
from ledger.hand import Hand

USED_UP = "budget_used_up"  # the code of what waits for money
_DELTA: tuple[Column, ...] = (
    ("department_id", "bigint"),
    ("account_id", "bigint"),
    ("month", "text"),
    ("cost", "bigint"),
)
SCHOOLS_ZONE = "(SELECT zone FROM school)"


def spent(department: str, month: str) -> str:
    """SQL for what a department spent in a month, folded and not; both are SQL themselves."""
    of = f"WHERE department_id = {department} AND month = {month}"
    tables = (f"(SELECT coalesce(sum(cost), 0) FROM {table} {of})" for table in ("spend", "spend_delta"))
    return " + ".join(tables)


def charge(hand: Hand, account: int, costs: Mapping[int, int]) -> None:
    """Count what a window of starts costs, by department: where `ledger.exchange` cannot do it beside the starts."""
    columns: tuple[Column, ...] = (("department_id", "bigint"), ("cost", "bigint"))
    hand.run_rows(
        "INSERT INTO spend_delta (department_id, account_id, month, cost)"
        f" SELECT u.department_id, :account, {hand.dialect.month(SCHOOLS_ZONE)}, u.cost"
        f" FROM {hand.dialect.rows(columns)}",
        columns,
        sorted(costs.items()),
        account=account,
    )


class Money:
    """See broker.ports.Money."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def reckoned(self, announcement: int, account: AccountRow, unit: int, messages: int) -> None:
        """Keep what one message of it costs by this account, and how many there would be."""
        run, r = self._hand.connection.execute, t.reckoning.c
        which = (r.announcement_id == announcement, r.channel == account.channel)
        run(delete(t.reckoning).where(*which))
        values = {"announcement_id": announcement, "channel": account.channel, "account_id": account.id}
        run(insert(t.reckoning).values(**values, unit=unit, messages=messages))

    def reckonings(self, announcement: int) -> Mapping[str, int]:
        """Channel → account."""
        query = select(t.reckoning.c.channel, t.reckoning.c.account_id)
        rows = self._hand.connection.execute(query.where(t.reckoning.c.announcement_id == announcement))
        return {row.channel: row.account_id for row in rows}

    def reckoned_all(self, costs: Sequence[tuple[int, AccountRow, int, int]]) -> None:
        """(announcement, account, unit, messages) of announcements that were never reckoned."""
        rows = [
            {"announcement_id": one, "channel": account.channel, "account_id": account.id,
             "unit": unit, "messages": messages}
            for one, account, unit, messages in costs
        ]  # fmt: skip
        if rows:
            self._hand.connection.execute(insert(t.reckoning), rows)

    def give_back(self, attempts: Sequence[int]) -> None:
        """These did not leave: what was counted for them is not spent. Safe to repeat: a cost is given back once."""
        hand, dialect = self._hand, self._hand.dialect
        if not attempts:
            return
        these = dialect.ids(sorted(attempts))
        rows = hand.run(
            "SELECT a.department_id, t.account_id, t.started_at, t.cost FROM attempt t"
            " JOIN delivery d ON d.id = t.delivery_id JOIN announcement a ON a.id = d.announcement_id"
            f" WHERE {dialect.any_of('t.id', 'these')} AND t.cost > 0",
            these=these,
        ).all()
        if not rows:
            return
        hand.run(f"UPDATE attempt SET cost = NULL WHERE {dialect.any_of('id', 'these')}", these=these)
        summed: dict[tuple[int, int], int] = {}
        for row in rows:
            key = (row.department_id, row.account_id)
            summed[key] = summed.get(key, 0) + row.cost
        columns: tuple[Column, ...] = (
            ("department_id", "bigint"),
            ("account_id", "bigint"),
            ("cost", "bigint"),
        )
        # In the month in which it is known: that a try of the last second of a month counts there is of no matter.
        hand.run_rows(
            "INSERT INTO spend_delta (department_id, account_id, month, cost)"
            f" SELECT u.department_id, u.account_id, {dialect.month(SCHOOLS_ZONE)}, -u.cost"
            f" FROM {dialect.rows(columns)}",
            columns,
            [(*key, cost) for key, cost in sorted(summed.items())],
        )

    def left(self, departments: Collection[str], month: str) -> Mapping[str, int]:
        """What each department that has a budget may still spend; its budget is locked until the transaction ends."""
        run = self._hand.connection.execute
        d, b = t.department.c, t.budget.c
        budgets = (
            select(d.id, d.slug, b.month, b.amount)
            .join(t.budget, b.department_id == d.id)
            .where(d.slug.in_(sorted(departments)), b.month.in_(("", month)))
            .order_by(d.id, b.month)
            .with_for_update(of=t.budget)
        )
        # The month's own comes after "", and so is what stands.
        standing = {row.id: (row.slug, row.amount) for row in run(budgets)}
        return {
            slug: amount - self._spent_by(department, month) - self._in_hand(department)
            for department, (slug, amount) in standing.items()
        }

    def set_budget(self, department: str, month: str, amount: int | None, *, by: str) -> None:
        """A department's budget from now on; what waited for money is due at once."""
        run, now = self._hand.connection.execute, self._hand.now
        which = select(t.department.c.id).where(t.department.c.slug == department).scalar_subquery()
        b = t.budget.c
        run(delete(t.budget).where(b.department_id == which, b.month == month))
        if amount is not None:
            run(
                insert(t.budget).values(
                    department_id=which, month=month, amount=amount, set_at=now, set_by=by
                )
            )
        said, waiting = t.announcement, t.delivery
        run(
            update(said)
            .where(said.c.department_id == which, said.c.fanned_out_at.is_(None), said.c.hold_code == USED_UP)
            .values(held_until=now)
        )
        run(
            update(waiting)
            .where(waiting.c.state == State.QUEUED.value, waiting.c.code == USED_UP, waiting.c.due_at > now)
            .values(due_at=now)
        )

    def budgets(self) -> Sequence[BudgetRow]:
        """Every budget that is set."""
        d, b = t.department.c, t.budget.c
        query = select(d.slug, b.month, b.amount).join(t.budget, b.department_id == d.id)
        rows = self._hand.connection.execute(query.order_by(d.slug, b.month))
        return [BudgetRow(row.slug, row.month, row.amount) for row in rows]

    def spent(self, month: str) -> Sequence[SpendRow]:
        """What was spent in a month, by department and account."""
        rows = self._hand.run(
            "SELECT d.slug, acc.name, sum(s.cost) AS cost FROM"
            " (SELECT department_id, account_id, cost FROM spend WHERE month = :month"
            "  UNION ALL SELECT department_id, account_id, cost FROM spend_delta WHERE month = :month) s"
            " JOIN department d ON d.id = s.department_id JOIN account acc ON acc.id = s.account_id"
            " GROUP BY d.slug, acc.name HAVING sum(s.cost) <> 0 ORDER BY d.slug, acc.name",
            month=month,
        )
        return [SpendRow(row.slug, row.name, month, int(row.cost)) for row in rows]

    def waiting(self) -> Mapping[str, int]:
        """By department, what was accepted and has not begun yet would cost: planned ones counted, others reckoned."""
        rows = self._hand.run(
            f"SELECT d.slug, sum({COMMITTED}) AS cost FROM announcement a JOIN department d ON d.id = a.department_id"
            f" WHERE a.expires_at > {self._hand.dialect.now} AND a.withdrawn_at IS NULL AND a.corrected_by IS NULL"
            " GROUP BY d.slug",
        )
        return {row.slug: int(row.cost) for row in rows if row.cost}

    def unfolded(self) -> bool:
        """Whether there is something to fold; reads only."""
        return self._hand.connection.execute(select(t.spend_delta.c.id).limit(1)).first() is not None

    def fold(self) -> Collection[tuple[str, str]]:
        """Fold appended deltas; the caller holds the sweeper's lock."""
        run = self._hand.run
        newest = run("SELECT max(id) AS id FROM spend_delta").scalar_one()
        if newest is None:
            return ()
        rows = run(
            "DELETE FROM spend_delta WHERE id <= :newest RETURNING department_id, account_id, month, cost",
            newest=newest,
        ).all()
        summed: dict[tuple[int, int, str], int] = {}
        for row in rows:
            key = (row.department_id, row.account_id, row.month)
            summed[key] = summed.get(key, 0) + row.cost
        self._hand.run_rows(
            "INSERT INTO spend (department_id, account_id, month, cost)"
            f" SELECT department_id, account_id, month, cost FROM {self._hand.dialect.rows(_DELTA)} WHERE true"
            " ON CONFLICT (department_id, account_id, month) DO UPDATE SET cost = spend.cost + excluded.cost",
            _DELTA,
            [(*key, cost) for key, cost in sorted(summed.items())],
        )
        rows_of = self._hand.connection.execute(select(t.department.c.id, t.department.c.slug))
        slugs = {row.id: row.slug for row in rows_of}
        return {(slugs[department], month) for department, _, month in summed}

    def _spent_by(self, department: int, month: str) -> int:
        total = self._hand.run(
            f"SELECT {spent(':department', ':month')} AS cost",
            department=department,
            month=month,
        ).scalar_one()
        return int(total)

    def _in_hand(self, department: int) -> int:
        """What was claimed and has not begun: few, for what has begun is counted already."""
        d, a, r, began = t.delivery.c, t.announcement.c, t.reckoning.c, t.attempt.c
        total = self._hand.connection.execute(
            select(func.coalesce(func.sum(r.unit), 0))
            .select_from(t.delivery)
            .join(t.announcement, a.id == d.announcement_id)
            .join(t.reckoning, (r.announcement_id == d.announcement_id) & (r.channel == d.channel))
            .where(
                d.state == State.SENDING.value,
                a.department_id == department,
                ~select(began.id).where(began.delivery_id == d.id, began.fence == d.fence).exists(),
            )
        ).scalar_one()
        return int(total)


# What the announcement `a` has still to spend: its queued deliveries once it is planned, until then as many as were
# reckoned.
COMMITTED = (
    "coalesce((SELECT sum(rk.unit * CASE WHEN a.fanned_out_at IS NULL THEN rk.messages ELSE"
    # Apart, for SQLite pushes nothing into a union here, and would read every counter there is.
    " (SELECT coalesce(sum(y.n), 0) FROM tally y"
    "  WHERE y.announcement_id = a.id AND y.channel = rk.channel AND y.state = 'queued')"
    " + (SELECT coalesce(sum(z.n), 0) FROM tally_delta z"
    "  WHERE z.announcement_id = a.id AND z.channel = rk.channel AND z.state = 'queued') END)"
    " FROM reckoning rk WHERE rk.announcement_id = a.id), 0)"
)
