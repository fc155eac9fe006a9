//! Attempts that are counted before they are made, so that a hundred at once are no more than a hundred in a row.
//!
//! 1. The first attempts of a window are free; each takes its number by a conditional write. The window begins with the
//!    first of them.
//! 2. After the last free one none passes for a second; then one, and none for two, four and so on up to a quarter of an
//!    hour. The window is open until it has passed quietly after the last wait.
//! 3. Whoever is told to wait has changed nothing: a flood of attempts makes nobody wait longer.
//! 4. An attempt that turns out well clears the count, or gives its own number back.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use domain::Timestamp;

use crate::item::{Reader, number, primary_key};
use crate::retry::{CONTENTION_ATTEMPTS, back_off};
use crate::{Store, StoreError, Table};

const SORT_KEY: &str = "THROTTLE";
/// The longest wait between two attempts, in seconds.
const LONGEST_WAIT: i64 = 900;

/// How many attempts are free, and within how many seconds.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Attempts that nobody waits for.
    pub free: u32,
    /// Seconds until the count begins anew: after the first attempt, or after the last wait.
    pub window: i64,
}

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It may be made.
    Go,
    /// Not for so many seconds.
    Wait(i64),
}

#[derive(Default)]
struct State {
    attempts: u32,
    next_at: i64,
    window_ends: i64,
}

impl Store {
    /// Asks to make an attempt in the name of `subject`, and counts it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::Contended`] where too many ask at once: then it may not be made.
    pub async fn throttle_attempt(
        &self,
        subject: &str,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Attempt, StoreError> {
        let now = now.unix();
        for retry in 0..CONTENTION_ATTEMPTS {
            let seen = self.throttle_state(subject).await?;
            let current = if seen.window_ends <= now { State::default() } else { State { ..seen } };
            if current.attempts >= allowance.free && current.next_at > now {
                return Ok(Attempt::Wait(current.next_at - now));
            }
            let attempts = current.attempts + 1;
            let wait = wait_after(attempts, allowance.free);
            let next = State {
                attempts,
                next_at: now + wait,
                window_ends: match (current.attempts, wait) {
                    (0, _) => now + wait + allowance.window,
                    (_, 0) => current.window_ends,
                    _ => now + wait + allowance.window,
                },
            };
            if self.throttle_move(subject, seen.attempts, seen.window_ends, &next).await? {
                return Ok(Attempt::Go);
            }
            back_off(retry).await;
        }
        Err(StoreError::Contended)
    }

    /// Forgets the attempts of `subject`: one has succeeded.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn throttle_clear(&self, subject: &str) -> Result<(), StoreError> {
        aws::boxed(
            self.client
                .delete_item()
                .table_name(self.table(Table::Directory)?)
                .set_key(Some(primary_key(partition(subject), SORT_KEY)))
                .send(),
        )
        .await
        .map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// Takes one attempt off the count of `subject`, and the wait after the last one: an attempt has turned out well.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn throttle_give_back(&self, subject: &str) -> Result<(), StoreError> {
        for retry in 0..CONTENTION_ATTEMPTS {
            let seen = self.throttle_state(subject).await?;
            if seen.attempts == 0 {
                return Ok(());
            }
            let next = State { attempts: seen.attempts - 1, next_at: 0, window_ends: seen.window_ends };
            if self.throttle_move(subject, seen.attempts, seen.window_ends, &next).await? {
                return Ok(());
            }
            back_off(retry).await;
        }
        Ok(())
    }

    async fn throttle_state(&self, subject: &str) -> Result<State, StoreError> {
        let item = self.get(Table::Directory, primary_key(partition(subject), SORT_KEY)).await?;
        item.map_or(Ok(State::default()), |item| {
            let reader = Reader(&item);
            Ok(State {
                attempts: reader.number("attempts")?,
                next_at: reader.number("next_at")?,
                window_ends: reader.number("window_ends")?,
            })
        })
    }

    /// Writes `next` where nobody else has written since `attempts` and `window_ends` were read.
    async fn throttle_move(
        &self,
        subject: &str,
        attempts: u32,
        window_ends: i64,
        next: &State,
    ) -> Result<bool, StoreError> {
        // No window is no item.
        let condition = if window_ends == 0 {
            "attribute_not_exists(pk)"
        } else {
            "attempts = :seen AND window_ends = :seen_window"
        };
        let mut update = self
            .client
            .update_item()
            .table_name(self.table(Table::Directory)?)
            .set_key(Some(primary_key(partition(subject), SORT_KEY)))
            .update_expression("SET attempts = :attempts, next_at = :next_at, window_ends = :window_ends, #ttl = :ttl")
            .condition_expression(condition)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":attempts", number(next.attempts))
            .expression_attribute_values(":next_at", number(next.next_at))
            .expression_attribute_values(":window_ends", number(next.window_ends))
            .expression_attribute_values(":ttl", number(next.window_ends));
        if window_ends > 0 {
            update = update
                .expression_attribute_values(":seen", number(attempts))
                .expression_attribute_values(":seen_window", number(window_ends));
        }
        match aws::boxed(update.send()).await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::unavailable(error)),
            },
        }
    }
}

/// How many seconds nobody passes after the attempt of this number.
fn wait_after(attempts: u32, free: u32) -> i64 {
    match (attempts + 1).checked_sub(free) {
        None | Some(0) => 0,
        Some(beyond) => (1_i64 << (beyond - 1).min(20)).min(LONGEST_WAIT),
    }
}

fn partition(subject: &str) -> String {
    format!("THROTTLE#{subject}")
}
