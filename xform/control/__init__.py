"""Operations that contain programs: control flow, custom rules, checkpointing, callbacks, implicit functions."""
