def drawable(text: str) -> str:
    """Escapes a name for Matplotlib, which reads `$...$` as a formula."""
    return text.replace("$", r"\$")
