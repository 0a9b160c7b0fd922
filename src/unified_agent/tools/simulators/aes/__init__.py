"""A simulated AES with a Communication Manager behind it."""
