"""HTTP and push: requests into commands, notices into bytes."""
