"""Frames between the server and the process that holds the JVM. What is in them: ``links.telephony.jtapi.messages``."""
