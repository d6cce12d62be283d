"""The record of the room: append-only, hash-chained, one file per session and one for the room."""
