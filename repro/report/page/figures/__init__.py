"""The report's figures, a family a module: from the store's rows and prints, without a database."""
