"""Data: expression, networks and priors, gene sets, read from files in the formats of users."""
