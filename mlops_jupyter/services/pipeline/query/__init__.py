"""Questions about the recording: step states, slices, the history of a value."""
