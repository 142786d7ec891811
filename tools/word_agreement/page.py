from pathlib import Path
MEASURED = Path(__file__).parent / "measured"
PAGE = Path("x")
def page(): return ""
