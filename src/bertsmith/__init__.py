"""bertsmith: one toolkit for the whole life of a BERT."""
