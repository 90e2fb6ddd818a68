"""Random programs of mixed words: eager code, Python and machine code come to the same.

Each runs twice, on other numbers that are held in other ways.
"""
