"""Writing the catalogue to tables that the importers read without loss: CSV and XLSX, row by row."""
