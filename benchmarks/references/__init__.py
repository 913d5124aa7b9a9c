"""What ours is measured against: the same rows of the same database, served another way."""
