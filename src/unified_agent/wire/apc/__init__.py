"""Avaya Proactive Contact, Agent API: frames, messages, connection."""
