"""Label Arabic news: topics and stance, by TF-IDF and linear classifiers."""

__version__ = "0.1.0"
