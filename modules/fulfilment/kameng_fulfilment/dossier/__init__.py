"""All that belongs to one order, for the staff: payments, messages, what suppliers did, who did what; and rarer remedies."""
