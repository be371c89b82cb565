"""Offers the zoo as a command line, one command a file."""
