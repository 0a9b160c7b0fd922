"""Simulated peers, as products: AES with a switch behind it, and a dialler."""
