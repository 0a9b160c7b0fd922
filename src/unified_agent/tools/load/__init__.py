"""Virtual agents that measure an instance from outside."""
