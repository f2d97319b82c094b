"""Which gene sets hold the influential genes: gene sets and the permutation test."""
