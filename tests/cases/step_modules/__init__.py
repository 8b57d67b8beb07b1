"""Cells -> the step modules that come of them: planning, told by examples. Read it from the top."""

from __future__ import annotations

from tests.cases.step_modules.cells import CELLS
from tests.cases.step_modules.definitions import DEFINITIONS
from tests.cases.step_modules.flow import FLOW
from tests.cases.step_modules.imports import IMPORTS
from tests.cases.step_modules.magics import MAGICS
from tests.cases.step_modules.merges import MERGES
from tests.cases.step_modules.state import STATE

ROWS = (*FLOW, *CELLS, *IMPORTS, *DEFINITIONS, *STATE, *MAGICS, *MERGES)
