"""Spreadsheets in and out: imports with a verdict for every row, exports without formulas."""
