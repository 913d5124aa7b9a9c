"""``python -m kameng`` is the command ``kameng``."""

from kameng.cli import main

if __name__ == "__main__":
    main()
