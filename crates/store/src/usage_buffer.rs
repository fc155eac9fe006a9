//! Counting in memory, writing now and then.
//!
//! What a process has counted and not yet written is lost if it is killed: at most [`FLUSH_INTERVAL`]'s worth, and what
//! it counted while a write was failing. Nothing is ever counted twice: rows are running totals, see
//! [`crate::usage`]. A row that is dropped from memory is never continued: what comes later goes to a new row, under a
//! new writer id.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{DenyReason, KeyId, KeyRecord, Moment, Tally, Timestamp, UsageHour, UserId, WriterId};
use tokio::task::JoinSet;

use crate::last_used::minute;
use crate::usage::UsageRow;
use crate::{Store, StoreError};

/// How long a count may wait to be written.
pub const FLUSH_INTERVAL: Duration = Duration::from_secs(5);

/// How many rows are written at once.
const WRITES_AT_ONCE: usize = 16;

/// How long an answer waits for a flush.
const CALLERS_PATIENCE: Duration = Duration::from_millis(200);

/// Counts the use of keys.
pub struct UsageBuffer {
    store: Store,
    counts: Mutex<Counts>,
    /// Held over a flush: two at once would write the same rows twice for nothing.
    flushing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Counts {
    rows: HashMap<(KeyId, UsageHour), Row>,
    /// When the oldest count that is not written was made.
    waiting_since: Option<Moment>,
}

struct Row {
    usage: UsageRow,
    /// Whether there is anything in it that no write has carried yet.
    waiting: bool,
    /// The minute in which the key was last used.
    used: Option<Timestamp>,
    /// The one that is written.
    used_written: Option<Timestamp>,
}

/// What one write of a flush carries.
#[derive(Clone)]
struct Waiting {
    row: UsageRow,
    /// When the key was last used, where that is not written yet.
    used: Option<Timestamp>,
}

impl UsageBuffer {
    /// Begins with nothing counted.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, counts: Mutex::default(), flushing: tokio::sync::Mutex::new(()) }
    }

    /// A key was exchanged for a token, at the cost of `payer`.
    pub fn exchanged(&self, key: &KeyRecord, payer: &UserId, now: Moment) {
        self.count(key, Some(payer), now, |total| total.exchanges += 1);
    }

    /// A call was let through, at the cost of `payer`.
    pub fn allowed(&self, key: &KeyRecord, payer: &UserId, now: Moment) {
        self.count(key, Some(payer), now, |total| total.allowed += 1);
    }

    /// A call was refused although its credential was proved; it costs nobody anything.
    pub fn denied(&self, key: &KeyRecord, reason: DenyReason, now: Moment) {
        self.count(key, None, now, |total| *total.denied.entry(reason).or_default() += 1);
    }

    fn count(&self, key: &KeyRecord, payer: Option<&UserId>, now: Moment, change: impl FnOnce(&mut Tally)) {
        let hour = UsageHour::of(now.timestamp());
        let mut counts = self.lock();
        let row = counts.rows.entry((key.id.clone(), hour)).or_insert_with(|| Row {
            usage: UsageRow {
                key_id: key.id.clone(),
                client_id: key.client_id.clone(),
                billed_to: None,
                hour,
                writer: WriterId::random(),
                sequence: 0,
                total: Tally::default(),
            },
            waiting: false,
            used: None,
            used_written: None,
        });
        change(&mut row.usage.total);
        if let Some(payer) = payer {
            if row.usage.billed_to.as_ref() != Some(payer) {
                row.usage.billed_to = Some(payer.clone());
            }
            row.used = row.used.max(Some(minute(now.timestamp())));
        }
        row.waiting = true;
        counts.waiting_since.get_or_insert(now);
    }

    /// Writes what is waiting if anything has waited for [`FLUSH_INTERVAL`]. Whoever asks is answering a caller, so it
    /// waits a moment and no longer: what takes its time goes on behind it, and a failure is logged and tried again.
    pub async fn flush_if_due(self: &Arc<Self>, now: Moment) {
        let since = self.lock().waiting_since;
        // A clock that went back: nobody knows how long, so it is long enough.
        let due = since.is_some_and(|since| now.since(since).is_none_or(|age| age >= FLUSH_INTERVAL));
        if !due || self.flushing.try_lock().is_err() {
            return;
        }
        let buffer = self.clone();
        let flush = tokio::spawn(async move { buffer.flush_or_warn(now).await });
        let _ = tokio::time::timeout(CALLERS_PATIENCE, flush).await;
    }

    /// Writes all that is waiting, and logs a failure.
    pub async fn flush_or_warn(&self, now: Moment) {
        if let Err(error) = self.flush(now).await {
            tracing::warn!(%error, "usage could not be written; it waits for the next time");
        }
    }

    /// Writes all that is waiting: one write per key and hour, some at once, and one more for a key whose last use is in a
    /// minute that this process has not written yet.
    ///
    /// # Errors
    /// [`StoreError`] of a write that failed: no further ones are begun, and what was not written waits for the next
    /// flush.
    pub async fn flush(&self, now: Moment) -> Result<(), StoreError> {
        let _one_at_a_time = self.flushing.lock().await;
        let mut outcome = Ok(());
        for rows in self.take_waiting().chunks(WRITES_AT_ONCE) {
            if outcome.is_err() {
                for row in rows {
                    self.put_back(row, now);
                }
                continue;
            }
            let mut writes = JoinSet::new();
            for row in rows.iter().cloned() {
                let store = self.store.clone();
                writes.spawn(async move { (write(&store, &row).await, row) });
            }
            while let Some(written) = writes.join_next().await {
                match written {
                    Ok((Ok(()), row)) => self.mark_written(&row),
                    Ok((Err(error), row)) => {
                        self.put_back(&row, now);
                        outcome = Err(error);
                    }
                    // A write that panicked or was aborted has no result; its row can't be found again, but the next
                    // count of the same key carries its total.
                    Err(_) => {}
                }
            }
        }
        self.drop_past_hours(UsageHour::of(now.timestamp()));
        outcome
    }

    fn take_waiting(&self) -> Vec<Waiting> {
        let mut counts = self.lock();
        counts.waiting_since = None;
        let waiting = counts.rows.values_mut().filter(|row| row.waiting);
        waiting
            .map(|row| {
                row.waiting = false;
                row.usage.sequence += 1;
                Waiting { row: row.usage.clone(), used: row.used.filter(|used| row.used_written != Some(*used)) }
            })
            .collect()
    }

    fn mark_written(&self, Waiting { row, used }: &Waiting) {
        if let Some(used) = used
            && let Some(row) = self.lock().rows.get_mut(&(row.key_id.clone(), row.hour))
        {
            row.used_written = Some(*used);
        }
    }

    fn put_back(&self, Waiting { row, .. }: &Waiting, now: Moment) {
        let mut counts = self.lock();
        if let Some(row) = counts.rows.get_mut(&(row.key_id.clone(), row.hour)) {
            row.waiting = true;
        }
        counts.waiting_since.get_or_insert(now);
    }

    fn drop_past_hours(&self, now: UsageHour) {
        self.lock().rows.retain(|(_, hour), row| row.waiting || *hour >= now);
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics while it is held but arithmetic that can't overflow in the life of a process.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(store: &Store, Waiting { row, used }: &Waiting) -> Result<(), StoreError> {
    store.usage_write(row).await?;
    match used {
        Some(at) => store.last_used_write(&row.client_id, &row.key_id, *at).await,
        None => Ok(()),
    }
}

impl std::fmt::Debug for UsageBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UsageBuffer").finish_non_exhaustive()
    }
}
