"""What an exported bundle carries with it, copied file by file.

Imports the standard library at load and numpy, pandas and the like inside functions; never `mlops_jupyter`.
The same code serves the notebook, so a value is saved, compared and judged alike in both places.
"""
