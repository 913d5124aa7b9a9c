"""What lines cost the shop: what was paid for the very cards that they delivered, kept from the time of their delivery.

The order path knows what the variant cost when it was sold; which batch a card came from is looked up afterwards, by those who
hear of the delivery, so that a purchase waits for none of it.
"""
