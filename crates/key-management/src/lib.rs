//! key-management.
