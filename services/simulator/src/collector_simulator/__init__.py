"""Exchanges on loopback: a thin shell with sockets over the dialects of the testkit."""
