"""Cures: what changes a training so that it trains."""
