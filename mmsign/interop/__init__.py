"""Other people's files: names and layouts of published weights."""
