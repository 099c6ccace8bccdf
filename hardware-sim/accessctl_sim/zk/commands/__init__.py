"""What each command does: one table per subject, joined in `dispatch`.

A handler takes the machine, the client's session and the data of the request, and returns the frames of the answer.
Data that no terminal could make sense of raises ValueError (`BadRecord` is one) or struct.error: the answer is ERROR.
"""
