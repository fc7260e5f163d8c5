"""ChartInsight: a private, complete, trustworthy store of Korean stock candles."""

__version__ = "0.1.0"
