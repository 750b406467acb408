"""From files of recorded frames to rows, through the code of the live path."""
