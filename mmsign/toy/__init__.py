"""A toy sign language: signs, signers, sentences, and clips rendered from them."""
