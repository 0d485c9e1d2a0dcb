"""Entries at computed places, read and written."""
