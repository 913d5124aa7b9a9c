"""The service desk: lines that the staff deliver, one person at each, and a clock that runs from their payment on."""
