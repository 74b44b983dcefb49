"""`carillon rules`: what the school's rules are, why, and how they are changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from broker.authority import rule_changes
from broker.rules.book import FAMILIES, RULES, parameter_named
from broker.rules.parameters import Parameter
from broker.rules.values import Rules
from cli import show
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator
from cli.reading import bad, short_words

app = typer.Typer(
    help="The school's rules: what they are, why, and how to change them.", invoke_without_command=True
)

Key = Annotated[str, typer.Argument(metavar="RULE", help="The rule, as `carillon rules` lists it.")]
Why = Annotated[str, typer.Option(metavar="WORDS", help="The reason, for the record.")]


@app.callback()
def list_(context: typer.Context, json: Json = False) -> None:
    """List the rules with their values, and which of them the school has changed.

    Examples:

    * `carillon rules`
    * `carillon rules explain undo.window`
    * `carillon rules set windows.open "sms mon-fri 07:30-19:00" --why "governors, 12 May"`
    * `carillon rules reset undo.window --why "as it was"`
    """
    if context.invoked_subcommand is not None:
        return
    show_rules(json=json)


@app.command("show")
def show_rules(json: Json = False) -> None:
    """List the rules with their values, and which of them the school has changed.

    Example: `carillon rules show --json`
    """
    with reading() as house, house.ledger.look() as tx:
        rules = tx.rules.current()
    if json:
        show.as_json({"version": rules.version, "rules": {key: _as_told(rules, key) for key in RULES}})
        return
    show.table(
        ("rule", "value", "default"),
        [
            (
                key,
                _written(rules, key) or "(nothing)",
                parameter.default if key in rules.changed else "as it is",
            )
            for key, parameter in RULES.items()
        ],
    )
    show.hint(f"version {rules.version}; what one is for: carillon rules explain RULE")


@app.command()
def explain(rule: Key, json: Json = False) -> None:
    """Say what a rule is for, where it comes from, and how it is written.

    Example: `carillon rules explain blast.size`
    """
    parameter = parameter_named(rule)
    with reading() as house, house.ledger.look() as tx:
        rules = tx.rules.current()
    if json:
        show.as_json({"version": rules.version, "rule": {"key": rule, **_as_told(rules, rule)}})
        return
    show.say(f"{rule}: {_written(rules, rule) or '(nothing)'}", "", parameter.words, "")
    show.say(
        f"written as: {parameter.kind}{_bounds(parameter)}", f"default: {parameter.default or '(nothing)'}"
    )
    show.say(f"why: {parameter.source}")


@app.command("set", context_settings={"ignore_unknown_options": True})  # a value may begin with a dash
def set_(
    rule: Key,
    value: Annotated[str, typer.Argument(help="Its new value, as `explain` says that it is written.")],
    why: Why,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Change a rule: checked whole, in force at once, kept as a new version with the reason.

    Examples:

    * `carillon rules set undo.window "2 min" --why "two wrong groups in a week"`
    * `carillon rules set blast.size 300 --why "governors, 12 May"`
    """
    reason = short_words(why, "why")
    with writing(operator) as (house, actor):
        rules = rule_changes.change(house.ports, rule, value, reason, actor=actor)
    _answer(rules, rule, json=json)


@app.command()
def reset(
    why: Why,
    rule: Annotated[str | None, typer.Argument(metavar="RULE", help="The rule to set back.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every rule, also when they cannot be read.")] = False,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Set a rule back to its default, or all of them.

    Example: `carillon rules reset undo.window --why "as it was"`
    """
    if (rule is None) != all_:
        raise bad("which_rule", "rule", "say which rule, or --all", "list them with: carillon rules")
    reason = short_words(why, "why")
    with writing(operator) as (house, actor):
        rules = rule_changes.reset(house.ports, rule, reason, actor=actor)
    _answer(rules, rule, json=json)


@app.command()
def back(
    version: Annotated[int, typer.Argument(min=1, max=2**31, help="Its number in `carillon rules history`.")],
    why: Why,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Set every rule as an earlier version had it; what came between stays in the history.

    Example: `carillon rules back 4 --why "the governors want it as it was"`
    """
    reason = short_words(why, "why")
    with writing(operator) as (house, actor):
        rules = rule_changes.back(house.ports, version, reason, actor=actor)
    if json:
        show.as_json({"version": rules.version})
    else:
        show.say(f"the rules are as version {version} had them; version {rules.version}")


@app.command()
def history(json: Json = False) -> None:
    """List every version of the rules: what differed from the defaults, when, by whom and why.

    Example: `carillon rules history`
    """
    with reading() as house:
        with house.ledger.look() as tx:
            versions = tx.rules.history()
        zone = zone_of(house)
    if json:
        show.as_json({"versions": versions})
        return
    before = [*(version.changed for version in versions[1:]), {}]
    show.table(
        ("version", "when", "by", "why", "what it changed"),
        [
            (v.version, show.wall(v.at, zone), v.by, v.why, _differences(earlier, v.changed))
            for v, earlier in zip(versions, before, strict=True)
        ],
    )


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    return "; ".join(f"{key} = {after.get(key, 'its default')}" for key in keys)


def _answer(rules: Rules, rule: str | None, *, json: bool) -> None:
    if json:
        told = {} if rule is None else {"rule": {"key": rule, **_as_told(rules, rule)}}
        show.as_json({"version": rules.version, **told})
    else:
        now = (
            "all rules are as by default"
            if rule is None
            else f"{rule} is now {_written(rules, rule) or '(nothing)'}"
        )
        show.say(f"{now}; version {rules.version}")


def _as_told(rules: Rules, key: str) -> dict[str, object]:
    parameter = RULES[key]
    return {
        "value": _written(rules, key),
        "default": parameter.written(parameter.read(parameter.default)),
        "changed": key in rules.changed,
        "kind": parameter.kind,
        "family": next(family.name for family in FAMILIES if parameter in family.parameters),
        "words": parameter.words,
        "source": parameter.source,
    }


def _written(rules: Rules, key: str) -> str:
    return RULES[key].written(rules.values[key])


def _bounds(parameter: Parameter) -> str:
    bounds = [
        f"at least {parameter.least}" if parameter.least is not None else "",
        f"at most {parameter.most}" if parameter.most is not None else "",
        f"of: {', '.join(parameter.among)}" if parameter.among else "",
    ]
    said = ", ".join(bound for bound in bounds if bound)
    return f" ({said})" if said else ""
