"""Playlists of other programs: read, matched against the clinic's own library, laid into phases, and written."""
