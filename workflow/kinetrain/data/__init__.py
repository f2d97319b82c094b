"""Formats and their readers: expression, networks and priors, gene sets, from the files of users."""
