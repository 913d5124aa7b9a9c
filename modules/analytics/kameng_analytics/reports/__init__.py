"""Reports that agree with the ledger: turnover, refunds, cost and fees by business day, each figure with the facts behind it.

    event → the orders that it names, read by contract → facts (`booking`) → figures by day (`analytics_figure`)

A fact is a posting of the ledger, or a part of one that belongs to a line, or a change of what a line cost. It is kept once for
ever under a key of its own, so it does not matter how often and in which order events come; whatever no event told of is found in
the ledger itself (`gathering`). Figures are sums of facts: `rebuilding` makes them anew, `checking` compares them
with the ledger.
"""
