"""Live agents: the host of their sessions, performing effects, pacing logins, the outbox."""
