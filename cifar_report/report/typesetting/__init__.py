"""A written report set in pages: everything that needs WeasyPrint, and nothing that knows what the report says."""
