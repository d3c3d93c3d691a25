"""Webhooks from Calendly: take in, store, apply, replay, and the subscriptions behind them."""
