"""The analysis half: what is known at a candle comes from the candles up to it."""
