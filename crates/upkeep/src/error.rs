//! What can go wrong. Whoever calls may read it: only the account's own people can.

use domain::Algorithm;
use domain::published_keys::MAX_PUBLISHED;
use signing::KeyError;
use store::StoreError;
use thiserror::Error;

/// Why a run ends without having done what it was called for.
#[derive(Debug, Error)]
pub enum UpkeepError {
    /// The event is neither of the schedule nor a command.
    #[error(
        "the event must be one of EventBridge's schedule, {{\"rotate\":\"<algorithm>\"}} with or without \"at_once\":true, or {{\"withdraw\":\"<kid>\"}}"
    )]
    Event,
    /// Another algorithm than the configured one.
    #[error(
        "new keys sign with {configured}, not with {asked}: change KEYGATE_SIGNING_ALGORITHM, and its key is published and then signs"
    )]
    Algorithm {
        /// What was asked for.
        asked: Algorithm,
        /// What `KEYGATE_SIGNING_ALGORITHM` says.
        configured: Algorithm,
    },
    /// No room for one more.
    #[error(
        "{MAX_PUBLISHED} signing keys are published, which is as many as may be: try again when one of them is gone, or withdraw one"
    )]
    TooMany,
    /// There is no such key to withdraw.
    #[error("no signing key of this id is published")]
    NotPublished,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No key can be made.
    #[error(transparent)]
    Key(#[from] KeyError),
}
