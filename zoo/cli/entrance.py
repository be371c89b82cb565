from zoo.cli.interruption import ending_at_interrupts


def run_command_line() -> None:
    """Runs `cowclip` or `python -m zoo`; a Ctrl-C ends it with one line."""
    with ending_at_interrupts():
        from zoo.cli.app import main

        main()
