//! demo-api.
