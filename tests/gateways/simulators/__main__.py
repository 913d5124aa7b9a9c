"""``python -m tests.gateways.simulators wechat [--port 8101]``: a simulator, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
from importlib import import_module

from .serving import serve

KNOWN = {
    "wechat": ("wechat", "WeChat"),
    "alipay": ("alipay", "Alipay"),
    "stripe": ("stripe", "Stripe"),
    "epay": ("epay", "Epay"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.gateways.simulators")
    parser.add_argument("gateway", choices=sorted(KNOWN))
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0: a free port")
    parser.add_argument("--port-file", help="write the port here instead of telling it")
    arguments = parser.parse_args()
    module, name = KNOWN[arguments.gateway]
    made = getattr(import_module(f"{__package__}.{module}"), name)
    with contextlib.suppress(KeyboardInterrupt):
        serve(made, arguments.port, arguments.port_file)


if __name__ == "__main__":
    main()
