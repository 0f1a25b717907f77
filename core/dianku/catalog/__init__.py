"""The catalog: stores, categories, products, barcodes, compositions, channels."""
