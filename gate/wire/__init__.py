"""What travels between lane, hub and console: topics, messages, signatures."""
