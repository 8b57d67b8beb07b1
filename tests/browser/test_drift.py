"""The drift view in JupyterLab: table, choice and plot, drawn at once and again on demand."""

from __future__ import annotations

from playwright.sync_api import expect

CELLS = (
    "%load_ext mlops_jupyter",
    "import numpy as np, pandas as pd\n"
    "old = pd.DataFrame({'pay': np.arange(500.0), '<b>plan</b>': ['a', 'b'] * 250})\n"
    "new = old.assign(pay=old.pay + 400)",
    "%drift old new",
)


def test_a_column_is_drawn_and_another_on_demand(desk, lab):
    lab.write("drift/a.ipynb", CELLS)
    desk.open(lab, "drift/a.ipynb")
    desk.run(0, 1, 2)
    shown = desk.cell(2)
    expect(shown.locator(".mlops-drift tbody tr")).to_have_count(2)
    expect(shown.locator(".mlops-drift td").first).to_have_text("pay")
    expect(shown.locator(".mlops-drift")).to_contain_text("<b>plan</b>")
    title = shown.locator(".js-plotly-plot .gtitle").first
    expect(title).to_have_text("pay")
    assert shown.locator(".js-plotly-plot").bounding_box()["height"] > 250
    shown.locator(".widget-dropdown select").select_option(index=0)
    expect(title).to_have_text("Effect size by column")
