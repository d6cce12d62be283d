"""The stillroom command."""


def main() -> None:
    """Run the command line."""
