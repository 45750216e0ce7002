"""The report: one page of HTML that opens from disk and fetches nothing.

What it shows is gathered first (content.py), as plain records; templates/ turn them into HTML,
where everything is escaped unless it was written here. Figures are specifications of Vega-Lite,
drawn by the page itself (vega.js) and, for files, by vl-convert.
"""
