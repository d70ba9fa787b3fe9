"""Reading: one file a format (delimited text, workbooks), one a sender (what the rows mean)."""
