"""What a technician does with a room's devices: find them, move them, put each through its paces, and sign."""
