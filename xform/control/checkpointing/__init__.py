"""Checkpointing: compute again in the backward sweep what was not kept."""
