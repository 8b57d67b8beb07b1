"""Hidden variables: random states, options of libraries, the state of the process."""
