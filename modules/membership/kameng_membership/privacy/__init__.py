"""What a member may ask about his data: a copy of it, and its erasure."""
