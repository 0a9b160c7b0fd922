"""What people run: command line, simulators, load."""
