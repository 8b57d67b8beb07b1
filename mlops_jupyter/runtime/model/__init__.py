"""The data model of a run: the pipeline, its steps, requests, events and versions, each defined once."""
