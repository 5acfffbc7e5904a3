"""Training of the bundled model: from the data folder to a model in ModelScope's layout."""
