"""Tasks that do not train, tasks that do, and the best that good practice makes of each: cures are scored on them."""
