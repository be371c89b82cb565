"""Imports models of other libraries with their weights."""

from zoo.interop.checkpoint_import import import_checkpoint as import_checkpoint
