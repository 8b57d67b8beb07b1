"""A drift report as html: a table that needs no script, and a whole page with plots."""

from __future__ import annotations

from html import escape

from mlops_jupyter.runtime.drift import Bins, ColumnDrift, DriftReport, Verdict
from mlops_jupyter.services.drift.plots import AFTER, BEFORE, VERDICTS, distribution, overview

MOST_PLOTS = 30
"""A page shows the distributions of at most so many columns, those with the largest effect."""

SPARK = 100
"""Width of the small distributions in the table, in pixels."""

STYLE = """<style>
.mlops-drift{overflow-x:auto}
.mlops-drift table{border-collapse:collapse;font-size:12px;margin:4px 0}
.mlops-drift th,.mlops-drift td{text-align:left;padding:3px 9px 3px 0;white-space:nowrap;vertical-align:middle}
.mlops-drift tbody tr{border-top:1px solid rgba(128,128,128,.2)}
.mlops-drift th{font-weight:600;opacity:.7}
.mlops-drift th.n,.mlops-drift td.n{text-align:right;font-variant-numeric:tabular-nums}
.mlops-drift td.w{white-space:normal;min-width:9em;max-width:28em;line-height:1.3}
.mlops-drift .pill{color:#fff;border-radius:8px;padding:1px 8px;font-size:11px}
.mlops-drift p{margin:2px 0 6px;font-size:13px}
.mlops-drift .faint{opacity:.7}
</style>"""

HEAD = (
    '<th>column</th><th>kind</th><th>verdict</th><th class="n">effect</th><th></th>'
    '<th>test</th><th class="n">statistic</th><th class="n">p (adj.)</th>'
    f'<th class="n">missing</th><th style="opacity:1"><span style="color:{BEFORE}">reference</span> / '
    f'<span style="color:{AFTER}">current</span></th><th>what changed</th>'
)


def table(report: DriftReport) -> str:
    """Return the report as an html fragment. Every name and value is escaped."""
    roof = max([2 * report.threshold, *(column.effect for column in report.columns)])
    order = (Verdict.DRIFTED, Verdict.STABLE, Verdict.UNTESTED)
    rows = "".join(_row(column, report.threshold, roof) for verdict in order for column in report.of(verdict))
    notes = "".join(f'<p class="faint">{escape(note)}</p>' for note in report.notes)
    return (
        f'<div class="mlops-drift">{STYLE}<p>{_pill(report.verdict)} {escape(_headline(report))}</p>'
        f"<table><thead><tr>{HEAD}</tr></thead><tbody>{rows}</tbody></table>{_legend(report)}{notes}</div>"
    )


def page(report: DriftReport, title: str = "Drift") -> str:
    """Return a whole page that stands alone: the table, then every plot, with plotly's script inside (about 5 MB)."""
    drawn = sorted((c for c in report.columns if c.picture is not None), key=lambda c: -c.effect)[:MOST_PLOTS]
    figures = [overview(report), *map(distribution, drawn)]
    plots = "".join(
        figure.to_html(full_html=False, include_plotlyjs=number == 0, config={"displaylogo": False, "responsive": True})
        for number, figure in enumerate(figures)
    )
    left = sum(column.picture is not None for column in report.columns) - len(drawn)
    more = f"<p>{left} more columns, with smaller effects, are not drawn.</p>" if left else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        "<style>:root{color-scheme:light dark}body{font-family:system-ui,sans-serif;margin:24px auto;max-width:1000px}"
        f"</style></head><body><h1>{escape(title)}</h1>{table(report)}{plots}{more}</body></html>"
    )


def _headline(report: DriftReport) -> str:
    return report.headline().partition(": ")[2]


def _legend(report: DriftReport) -> str:
    words = (
        f"drifted: significant (p after {report.correction} correction at most {report.alpha:g}) "
        f"and effect at least {report.threshold:g}"
    )
    return f'<p class="faint">{escape(words)}</p>'


def _row(column: ColumnDrift, threshold: float, roof: float) -> str:
    found = column.finding
    cells = (
        f"<td><b>{escape(_cut(column.name, 40))}</b></td>",
        f"<td>{column.kind.value}</td>",
        f"<td>{_pill(column.verdict)}</td>",
        f'<td class="n">{f"{found.effect:.3f}" if found else ""}</td>',
        f"<td>{_bar(column, threshold, roof) if found else ''}</td>",
        f"<td>{escape(found.test) if found else ''}</td>",
        f'<td class="n">{f"{found.statistic:.4g}" if found else ""}</td>',
        f'<td class="n">{escape(found.chance) if found else ""}</td>',
        f'<td class="n">{column.gaps}</td>',
        f"<td>{_spark(column)}</td>",
        f'<td class="w">{escape(_changed(column))}</td>',
    )
    return f"<tr>{''.join(cells)}</tr>"


def _changed(column: ColumnDrift) -> str:
    parts = [column.changed] if column.changed else []
    for word, names in (("new", column.new), ("gone", column.vanished)):
        if names:
            shown = ", ".join(_cut(name, 20) for name in names[:4])
            parts.append(f"{word}: {shown}{' …' if len(names) > 4 else ''}")
    return "; ".join(parts)


def _pill(verdict: Verdict) -> str:
    return f'<span class="pill" style="background:{VERDICTS[verdict]}">{verdict.value}</span>'


def _bar(column: ColumnDrift, threshold: float, roof: float) -> str:
    """Draw the effect as a bar with a tick at the threshold."""
    width, tick = 80 * min(1.0, column.effect / roof), 80 * threshold / roof
    return (
        f'<svg width="82" height="12" role="img" aria-label="effect {column.effect:.3f} of {threshold:g}">'
        f'<rect x="0" y="3" width="{width:.1f}" height="6" fill="{VERDICTS[column.verdict]}"/>'
        f'<line x1="{tick:.1f}" x2="{tick:.1f}" y1="0" y2="12" stroke="currentColor" stroke-dasharray="2,1"/></svg>'
    )


def _spark(column: ColumnDrift) -> str:
    """Draw both distributions in the size of a word: numbers as a shape and a line over it, categories as pairs."""
    if column.picture is None:
        return ""
    before, after = _heights(column.picture.before, column.picture.after)
    width = SPARK / len(before)
    if isinstance(column.picture, Bins):
        line = " ".join(f"{x:.1f},{22 - h:.1f}" for i, h in enumerate(after) for x in (i * width, (i + 1) * width))
        drawn = _rects(before, 0, width, width, BEFORE)
        drawn += f'<polyline points="{line}" fill="none" stroke="{AFTER}" stroke-width="1.5"/>'
    else:
        thin = min(6.0, 0.42 * width)
        drawn = _rects(before, 0, width, thin, BEFORE) + _rects(after, thin, width, thin, AFTER)
    return f'<svg width="{SPARK}" height="24" role="img" aria-label="both distributions">{drawn}</svg>'


def _rects(heights: list[float], offset: float, step: float, width: float, colour: str) -> str:
    bars = "".join(
        f'<rect x="{i * step + offset:.1f}" y="{22 - height:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
        for i, height in enumerate(heights)
    )
    return f'<g fill="{colour}">{bars}</g>'


def _heights(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[list[float], list[float]]:
    """Return heights in pixels of each side's shares: the tallest of all is 20."""
    left, right = ([count / (sum(counts) or 1) for count in counts] for counts in (before, after))
    top = max(*left, *right) or 1.0
    return [20 * share / top for share in left], [20 * share / top for share in right]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
