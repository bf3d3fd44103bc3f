"""Files of a corpus: frames, images, archives, videos, packs, stores, tables."""
