"""Switch and diallers: the shells that keep connections alive and turn events into facts."""
