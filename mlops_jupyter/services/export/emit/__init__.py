"""How a plan is spelled in the languages of the targets: nothing breaks out, and every tick is the same."""
