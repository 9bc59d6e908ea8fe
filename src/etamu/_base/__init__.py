"""Types and errors shared by every room of the house; imports nothing of etamu."""
