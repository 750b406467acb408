"""Entry point of the collector command."""


def main() -> None:
    """Say that there is nothing yet."""
