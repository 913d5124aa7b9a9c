"""Buying without an account: an e-mail address or a phone number instead, paid from outside, and the look-up of such an order.

A guest proves who he is by a secret that he gets with his order. Whoever knows the number and the contact sees how the order
stands, and nothing that was delivered. A wrong number and a wrong contact are the same miss of the same index, so nobody
can find out by trying which numbers or which contacts there are.
"""
