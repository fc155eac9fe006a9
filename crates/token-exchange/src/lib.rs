//! token-exchange.
