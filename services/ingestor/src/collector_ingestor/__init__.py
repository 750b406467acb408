"""Deployable; never imported by another package."""
