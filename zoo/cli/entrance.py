from zoo.cli.interruption import end_interrupted
from zoo.cli.interruption import ending_at_once
from zoo.cli.interruption import noting_interrupts
from zoo.cli.interruption import was_interrupted


def run_command_line() -> None:
    """Runs `cowclip` or `python -m zoo`; a Ctrl-C ends it with one line."""
    with noting_interrupts():
        try:
            with ending_at_once():
                from zoo.cli.app import main

            main()
        except BaseException as error:
            if was_interrupted(error):
                end_interrupted()
            raise
