"""Jobs on a Ray cluster, as values: what to submit, and what came of it. Imports no adapter."""
