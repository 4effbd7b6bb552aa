"""The program, and what it shares with those of asen_tf."""
