"""The verbs of `stillroom`, a file each."""
