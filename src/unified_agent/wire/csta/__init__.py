"""AES over DMCC XML: framing, elements, connection."""
