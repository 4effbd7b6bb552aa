"""The names and messages of a served model, and who asks it."""
