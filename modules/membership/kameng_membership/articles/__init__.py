"""Articles: the shop's announcements and help pages."""
