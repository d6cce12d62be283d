"""What a room can draw on."""
