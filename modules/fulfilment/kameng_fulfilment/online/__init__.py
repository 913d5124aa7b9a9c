"""Orders that are paid through gateways: having them paid, and taking in what was."""
