"""Disk ↔ named arrays: model folders with the names of `BertForPreTraining`, read and written without any framework."""
