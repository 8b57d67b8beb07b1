"""What may be logged of a run: metric values and names, figures, estimators' settings. Checked, and not stored yet."""
