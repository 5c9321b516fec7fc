"""How large an urban community may be: checked when villages are redrawn, and above all when one becomes a community.

The rules are those of the rule set that are for urban communities and compare a recorded number of the area (such as
`community_size`, households); their thresholds stand there. Breaking one is a warning, never a refusal: the draft and
the record of the decision say so, and who decides has read it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo import coverage as figures
from geo.words import Text

from ..figures.coverage_measures import applies
from ..figures.rule_body import Rule, RuleSet
from ..figures.rules import read_rule_set
from .decision_rows import PEOPLE, Replacement, values_of

if TYPE_CHECKING:
    from ..storage.store import Store
    from .draft import Draft

Broken = dict[str, Any]
"""rule, text in both languages, and the field it is about."""


def size_rules(rules: RuleSet) -> list[Rule]:
    """The rules that compare a number recorded for urban communities."""
    return [
        rule
        for rule in rules.rules
        if rule.applies
        and rule.form == "count"
        and "village" in rule.units
        and rule.numerator["layer"] == "unit"
        and set(rule.numerator["fields"]) <= set(PEOPLE)
    ]


def converted(operations: Iterable[Mapping[str, Any]]) -> set[str]:
    """Codes that operations give to villages which become communities."""
    found: set[str] = set()
    for operation in operations:
        if operation.get("op") == "recode":
            found.update(operation.get("codes") or [operation.get("into", "")])
    return found


def broken(
    store: "Store",
    rules: RuleSet,
    areas: Mapping[str, Mapping[str, Any]],
    *,
    begun: Collection[str],
    made: Collection[str],
) -> dict[str, list[Broken]]:
    """The rules on the size of communities that villages break, by code; villages that break none are left out.

    Parameters
    ----------
    areas
        Fields of the villages by code.
    begun
        Codes that begin: the urban-rural class recorded is still that of the area before, and does not count.
    made
        Codes of villages that become communities; where codes do not tell, these are communities whatever is recorded.
    """
    codes = sorted(areas)
    found: dict[str, list[Broken]] = {}
    recorded = {
        "urban_rural": [None if code in begun else areas[code].get("urban_rural") for code in codes],
        "village_type": [areas[code].get("village_type") for code in codes],
    }
    frame = pd.DataFrame(recorded, index=pd.Index(codes, dtype=object), dtype=object)
    for rule in size_rules(rules):
        concerned = applies(store, rule, frame)
        if store.codes != "cn12":
            concerned |= frame.index.isin(list(made))
        for code in frame.index[concerned]:
            words = _words(rule, areas[code], unknown_too=code in made)
            if words is not None:
                told = {"rule": rule.id, "text": words.as_dict(), "field": rule.numerator["fields"][0]}
                found.setdefault(code, []).append(told)
    return found


def _words(rule: Rule, values: Mapping[str, Any], *, unknown_too: bool) -> Text | None:
    """What is wrong with the size of a community; None when nothing is, or nothing can be said."""
    numbers = [values[name] for name in rule.numerator["fields"] if values.get(name) is not None]
    zh, en = rule.label.zh, rule.label.en
    if not numbers:
        if not unknown_too:
            return None
        return Text(f"{zh}：未登记，无法核对", f"{en}: nothing is recorded, so it cannot be checked")
    at_least = rule.comparison == ">="
    value = pd.Series([float(sum(numbers))])
    result = figures.coverage(value, rule.threshold, at_least=at_least)
    if result.state.iloc[0] != figures.SHORT:
        return None
    amount, off = rule.amount, result.shortfall.iloc[0]
    limit = Text("至少", "at least") if at_least else Text("不超过", "at most")
    gap = Text("缺", "missing") if at_least else Text("超出", "too many")
    return Text(
        f"{zh}：{value.iloc[0]:.0f} {amount.zh}，标准为{limit.zh} {rule.threshold:g} {amount.zh}，{gap.zh} {off:.0f} {amount.zh}",
        f"{en}: {value.iloc[0]:.0f} {amount.en}, {limit.en} {rule.threshold:g} are asked for, {off:.0f} {gap.en}",
    )


def warnings(store: "Store", draft: "Draft", replacements: Iterable[Replacement]) -> list[Broken]:
    """What the record of a decision says of communities that come out of it: code and name, rule, words."""
    rules, made = read_rule_set(store), converted(draft.operations)
    told: list[Broken] = []
    for each in replacements:
        if each.kind != "village":
            continue
        areas = values_of(each)
        begun = set(each.new) - set(each.old)
        for code, listed in broken(store, rules, areas, begun=begun, made=made).items():
            told += [{"code": code, "name": areas[code].get("name"), **one} for one in listed]
    return told
