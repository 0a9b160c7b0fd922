"""A simulated Proactive Contact dialler."""
