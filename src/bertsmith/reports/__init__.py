"""Records become pages: one offline html file for each run. Nothing here touches a model."""
