"""The journal as a file: for spreadsheets, and for beancount, another program that adds it up by itself."""
