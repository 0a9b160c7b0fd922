"""Diallers by the Agent API: one connection per agent, an ordered pool of diallers."""
