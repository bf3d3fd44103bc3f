"""Recognition in the browser: a folder of static files, made from a bundle.

``page/`` is what is copied as it is; docs/web.md.
"""
