"""From result tables to the tidy tables behind the figures, and to plain statements about the results."""
