"""The music: files on disk, measured before they are ever played."""
