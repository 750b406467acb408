"""One folder per exchange; the folder is the registration."""
