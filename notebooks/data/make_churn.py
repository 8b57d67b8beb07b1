"""Make the customers of the churn notebook: two months of a telephone company that does not exist.

`python notebooks/data/make_churn.py` writes the two csv files beside this script, the same bytes each time.
The later month has newer contracts and higher bills, and leaves everything else as it was.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
ROWS = 3000


def month(seed: int, price: float, monthly_contracts: float) -> pd.DataFrame:
    """Return one month's customers, with the flaws that real tables have: gaps, doubles, text that is no number."""
    rng = np.random.default_rng(seed)
    tenure = rng.gamma(2.0, 14.0, ROWS).clip(0, 72).round()
    contract = rng.choice(
        ["month-to-month", "one year", "two year"],
        ROWS,
        p=[monthly_contracts, (1 - monthly_contracts) * 0.55, (1 - monthly_contracts) * 0.45],
    )
    internet = rng.choice(["fiber", "dsl", "none"], ROWS, p=[0.45, 0.35, 0.2])
    bill = (20 + 35 * (internet == "fiber") + 15 * (internet == "dsl") + rng.normal(0, 8, ROWS)) * price
    calls = rng.poisson(1.2 + 0.8 * (internet == "fiber"))
    age = rng.normal(46, 15, ROWS).clip(18, 90).round()
    logit = (
        -1.1
        + 1.3 * (contract == "month-to-month")
        - 0.9 * (contract == "two year")
        - 0.045 * tenure
        + 0.016 * bill
        + 0.42 * calls
        + 0.5 * ((calls > 3) & (tenure < 12))
    )
    churned = rng.random(ROWS) < 1 / (1 + np.exp(-logit))
    frame = pd.DataFrame(
        {
            "customer": [f"C{seed % 100:02d}{i:05d}" for i in range(ROWS)],
            "age": age,
            "tenure_months": tenure,
            "contract": contract,
            "internet": internet,
            "monthly_bill": bill.clip(15).round(2),
            "support_calls": calls,
            "churned": np.where(churned, "yes", "no"),
        }
    )
    frame.loc[rng.choice(ROWS, 90, replace=False), "age"] = np.nan
    frame["total_paid"] = (frame["monthly_bill"] * frame["tenure_months"]).round(2).astype(str)
    frame.loc[frame["tenure_months"] == 0, "total_paid"] = " "
    return pd.concat([frame, frame.sample(25, random_state=seed)], ignore_index=True)


if __name__ == "__main__":
    month(202609, price=1.0, monthly_contracts=0.55).to_csv(HERE / "customers_2026_09.csv", index=False)
    month(202610, price=1.12, monthly_contracts=0.58).to_csv(HERE / "customers_2026_10.csv", index=False)
