"""Why: what made the signal shrink or grow, and what made the steps too large or too small."""
