"""What ccxt knows of exchanges' refusals. Prints exchange -> {"exact", "broad", and so for markets with codes of their
own}: code or text -> its class and what that is of, the narrowest first. Argument: names of exchanges.
"""

import json
import sys
from typing import Any

import ccxt


def lineages(known: dict[str, Any]) -> dict[str, Any]:
    return {
        str(code): [each.__name__ for each in kind.__mro__] if isinstance(kind, type) else lineages(kind)
        for code, kind in known.items()
    }


def main() -> None:
    names = json.loads(sys.argv[1])
    json.dump({name: lineages(getattr(ccxt, name)().exceptions) for name in names}, sys.stdout)


if __name__ == "__main__":
    main()
