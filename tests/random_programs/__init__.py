"""Random programs of mixed words: eager code, Python and machine code come to the same.

`python -m tests.random_programs --seconds 60 --seed 0` prints the smallest failing programs that it finds, as Python,
and how many programs ran. Each runs twice, on other numbers that are held in other ways.
"""
