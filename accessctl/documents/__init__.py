"""Paper: receipts, notices, lists and register folios as PDF. The only place with reportlab.

Every renderer is a pure function from a frozen value to bytes: no clock, no file but the embedded fonts, no domain
I/O, and the same value always gives the same bytes. `pdf.py` holds reportlab; `pdf_file.py` writes pages out as they
end; `text.py` makes any text printable and measures it; `page.py` is the house's sheet (head, foot, evidence) and lays
strips on pages; `parts.py` is what documents are made of.
"""
