"""Reading the bills of gateways. Everything here may import polars: import it only where a bill is at hand."""
