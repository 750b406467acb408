"""What ``collector run`` does: processes, their start and end, and the live table."""
