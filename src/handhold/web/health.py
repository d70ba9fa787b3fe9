"""The health of feeds, made ready for the page: charts, and the numbers that stand beside them in words."""

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from handhold.feeds.health import Came, Health
from handhold.web import charts
from handhold.web.templatetags import words


def shown(found: list[Health], gaps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a feed: the feeds that need somebody first, then in the order of the pack."""
    rows = [
        _row(one, [gap for gap in gaps if gap["feed"] == one.feed and not gap["closed"]]) for one in found
    ]
    return sorted(rows, key=lambda row: not row["gaps"])


def _row(one: Health, gaps: list[dict[str, Any]]) -> dict[str, Any]:
    columns = _columns(one)
    newest = one.newest.profile
    return {
        "feed": one.feed, "agency": one.agency, "as_of": one.as_of, "due": one.due, "gaps": gaps,
        "past_due": one.due is not None and one.due < one.now.date(),
        "rows": newest.rows, "quarantined": newest.quarantined, "withdrawn": newest.withdrawn, "left": one.newest.left,
        "deliveries": len(one.came), "rows_chart": _rows_chart(one), "columns": columns, "fill_chart": _fill_chart(columns),
        "drifting": any(gap["kind"] == "feed-drift" for gap in gaps), "said": [_sentence(gap) for gap in gaps],
    }  # fmt: skip


def _sentence(gap: dict[str, Any]) -> str:
    """A gap's reason with the numbers that show it."""
    findings = gap["evidence"].get("findings", [])
    numbers = "; ".join(filter(None, (_number(gap["reason"], f) for f in findings[:4])))
    return f"{words.why(gap)}{': ' if numbers else ''}{numbers}"


def _number(reason: str, finding: dict[str, Any]) -> str:
    now, usual = finding["now"], finding["usual"]
    if reason == "fill":
        return _("%(column)s in %(now).0f %% of the rows, usually %(usual).0f %%") % {
            "column": finding["column"], "now": 100 * now, "usual": 100 * usual,
        }  # fmt: skip
    if reason == "rows":
        return _("%(now)s, usually %(usual)s") % {"now": f"{now:,.0f}", "usual": f"{usual:,.0f}"}
    if reason in ("keys", "quarantined"):
        return _("%(now).1f %% of the rows") % {"now": 100 * now}
    return str(finding["column"])


def _rows_chart(one: Health) -> SafeString:
    label = ngettext("Rows of the last delivery", "Rows of the last %(n)d deliveries", len(one.came)) % {
        "n": len(one.came)
    }
    return charts.stacks([_stack(came) for came in one.came], label)


def _stack(came: Came) -> charts.Stack:
    title = f"{came.as_of}: {came.profile.rows:,}"
    if came.status == "held":
        return charts.Stack(((max(came.profile.rows, 1), "hh-c-held"),), title)
    return charts.Stack(
        ((came.unchanged, "hh-c-same"), (came.loaded, "hh-c-fill"), (came.profile.quarantined, "hh-c-bad")),
        title,
    )


def _columns(one: Health) -> list[dict[str, Any]]:
    """Each column's share of filled cells now and before, and whether it has moved; of the last delivery that had rows."""
    profile = next((came.profile for came in reversed(one.read) if came.profile.good), one.newest.profile)
    moved = {f.column for f in one.findings if f.column}
    usual = one.usual
    return [
        {
            "name": name,
            "now": filled / profile.good if profile.good else 0.0,
            "usual": usual.filled[name] / usual.good
            if usual and usual.good and name in usual.filled
            else None,
            "moved": name in moved,
        }
        for name, filled in profile.filled.items()
    ]


def _fill_chart(columns: list[dict[str, Any]]) -> SafeString:
    bars = [
        charts.Share(
            min(1.0, c["now"]),
            None if c["usual"] is None else min(1.0, c["usual"]),
            c["moved"],
            f"{c['name']}: {100 * c['now']:.0f} %",
        )
        for c in columns
    ]
    return charts.shares(bars, _("How full each column is"))
