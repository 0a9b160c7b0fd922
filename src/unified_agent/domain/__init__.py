"""What is true, and what follows from it: pure, immutable, timed by arguments."""
