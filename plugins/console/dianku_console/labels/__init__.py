"""Labels: what stands on one, where it stands, and the pages and the PDF they are printed from.

One layout serves both: `drawing` places every text and bar in dots, the page shows that as SVG and
`pdf` writes it. What is asked for, and what may stand on a tag, is `asking`'s.
"""
