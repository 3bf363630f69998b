"""The archive handed on to others: each form one file, all of them fed by the change log."""
