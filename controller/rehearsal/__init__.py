"""A whole session on a simulated clock: the same rules, planner and sound timeline, no device at all."""
