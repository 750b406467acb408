"""One module a command; each exports a Typer ``app``."""
