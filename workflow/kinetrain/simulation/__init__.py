"""Gene network simulators: random networks, and the published ones."""
