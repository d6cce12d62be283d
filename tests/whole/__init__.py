"""The whole room: real broker, engine, caller, daemon."""
