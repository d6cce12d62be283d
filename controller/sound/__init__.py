"""The sound engine: its own process that plays a cue sheet, and the daemon's driver that talks to it."""
