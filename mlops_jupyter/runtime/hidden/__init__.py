"""One module for each kind of hidden state: random states, options of libraries, the process itself."""
