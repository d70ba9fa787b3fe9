"""Doors: how what was sent comes in. A door is told how to keep a thing, and says that it has it only once it is kept."""
