"""The process that runs what is due, and the runs of days that are past."""
