"""The other instances: heartbeats, ownership, which datacentre serves."""
