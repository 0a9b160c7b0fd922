"""The telephone switch through AES."""
