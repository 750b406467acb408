"""Reading the bus: every topic of the catalogue that a choice names, new ones as they come."""
