"""The ways in which notices reach a desktop, each one file. So far: ``websocket``."""
