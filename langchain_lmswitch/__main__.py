"""`python -m langchain_lmswitch` is `lmswitch`."""

from langchain_lmswitch.cli.app import main

if __name__ == "__main__":
    main()
