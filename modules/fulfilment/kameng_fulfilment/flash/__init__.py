"""Flash sales: a limited number of pieces, so many for each buyer, from a second on.

What a piece costs then is told by the catalogue's prices, which may have periods; here is only who gets one.
"""
