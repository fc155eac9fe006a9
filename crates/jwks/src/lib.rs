//! jwks.
