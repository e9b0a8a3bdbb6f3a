"""The frozen dataclasses that every stage shares.  No torch, no input or output."""
