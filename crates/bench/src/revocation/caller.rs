//! Who asks one authorizer, without a pause.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use serde_json::Value;

use crate::clocks;
use crate::failure::Failure;
use crate::revocation::{AUTHORIZERS, BOUND};
use crate::runtime_api::{Answer, Instance};

/// One turn in so many asks again for what was refused: whether it stays refused.
const LOOK_AGAIN: usize = 16;

/// A key that is to be revoked.
pub(crate) struct Subject {
    /// Which one.
    number: usize,
    /// By its token, and by itself.
    events: [Bytes; 2],
    /// When the revocation was sent, and when it was answered.
    revoked: OnceLock<(Instant, Instant)>,
    /// How many authorizers have let it through by both.
    known_to: AtomicUsize,
}

/// What all callers ask for.
pub(crate) struct Watch {
    /// The key that stays.
    steady: [Bytes; 2],
    subjects: Mutex<Vec<Arc<Subject>>>,
    /// How many there have been.
    added: AtomicUsize,
    stopped: AtomicBool,
}

/// What a caller has seen.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) allowed: usize,
    pub(crate) refused: usize,
    /// How long each revoked key was let through still: by its token, and by itself.
    pub(crate) delays: [Vec<Duration>; 2],
}

/// What a caller has seen of one way to show a key.
#[derive(Clone, Copy, Default)]
struct Seen {
    last_allow: Option<Instant>,
    refused: bool,
}

impl Subject {
    fn new(number: usize, events: [Bytes; 2]) -> Self {
        Self { number, events, revoked: OnceLock::new(), known_to: AtomicUsize::new(0) }
    }

    /// Whether every authorizer has it in its cache.
    pub(crate) fn is_known(&self) -> bool {
        self.known_to.load(Ordering::Relaxed) == AUTHORIZERS
    }

    pub(crate) fn revoked(&self, sent: Instant, answered: Instant) {
        let _ = self.revoked.set((sent, answered));
    }
}

impl Watch {
    pub(crate) fn new(steady: [Bytes; 2]) -> Self {
        Self { steady, subjects: Mutex::default(), added: AtomicUsize::new(0), stopped: AtomicBool::new(false) }
    }

    pub(crate) fn add(&self, events: [Bytes; 2]) -> Arc<Subject> {
        let number = self.added.fetch_add(1, Ordering::Relaxed);
        let subject = Arc::new(Subject::new(number, events));
        self.change(|subjects| subjects.push(subject.clone()));
        subject
    }

    pub(crate) fn remove(&self, subject: &Arc<Subject>) {
        self.change(|subjects| subjects.retain(|other| !Arc::ptr_eq(other, subject)));
    }

    /// Ends the callers.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Arc<Subject>>) -> T) -> T {
        change(&mut self.subjects.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Tally {
    pub(crate) fn sum(tallies: impl IntoIterator<Item = Self>) -> Self {
        tallies.into_iter().fold(Self::default(), |mut all, tally| {
            all.allowed += tally.allowed;
            all.refused += tally.refused;
            for (sum, delays) in all.delays.iter_mut().zip(tally.delays) {
                sum.extend(delays);
            }
            all
        })
    }
}

/// Asks until it is told to stop.
pub(crate) async fn call(instance: Instance, watch: Arc<Watch>) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let mut seen: HashMap<usize, (Arc<Subject>, [Seen; 2])> = HashMap::new();
    for turn in 0.. {
        if watch.stopped.load(Ordering::Relaxed) {
            break;
        }
        for event in &watch.steady {
            if !ask(&instance, event, &mut tally).await? {
                return Err(wrong("the key that stays was refused"));
            }
        }
        for subject in watch.change(|subjects| subjects.clone()) {
            let (_, ways) = seen.entry(subject.number).or_insert_with(|| (subject.clone(), Default::default()));
            let was_new = ways.iter().any(|seen| seen.last_allow.is_none());
            for (event, seen) in subject.events.iter().zip(ways.iter_mut()) {
                if seen.refused && turn % LOOK_AGAIN != 0 {
                    continue;
                }
                let begun = clocks::start();
                let allowed = ask(&instance, event, &mut tally).await?;
                judge(&subject, seen, begun, allowed)?;
            }
            if was_new {
                subject.known_to.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    for (subject, ways) in seen.into_values() {
        for (seen, delays) in ways.iter().zip(&mut tally.delays) {
            delays.push(seen.delay(&subject).ok_or_else(|| wrong("a revoked key was never refused"))?);
        }
    }
    Ok(tally)
}

impl Seen {
    /// How long after the revocation the last allow was here; nothing where there was none after it.
    fn delay(&self, subject: &Subject) -> Option<Duration> {
        let (sent, _) = subject.revoked.get().filter(|_| self.refused)?;
        Some(self.last_allow?.saturating_duration_since(*sent))
    }
}

fn judge(subject: &Subject, seen: &mut Seen, begun: Instant, allowed: bool) -> Result<(), Failure> {
    if !allowed {
        // What is refused before anybody knows that the revocation is done may be so for its sake all the same.
        if seen.last_allow.is_none() {
            return Err(wrong("a key was refused that was never let through"));
        }
        seen.refused = true;
        return Ok(());
    }
    if seen.refused {
        return Err(wrong("a revoked key was let through again"));
    }
    if subject.revoked.get().is_some_and(|(_, answered)| begun.saturating_duration_since(*answered) > BOUND) {
        return Err(wrong("a call that began after the bound was let through"));
    }
    seen.last_allow = Some(clocks::start());
    Ok(())
}

/// Whether a call is let through.
async fn ask(instance: &Instance, event: &Bytes, tally: &mut Tally) -> Result<bool, Failure> {
    let (Answer::Response(body) | Answer::Error(body)) = &instance.invoke(event.clone()).await?;
    let answer: Value = serde_json::from_slice(body).map_err(std::io::Error::other)?;
    let effect = &answer["policyDocument"]["Statement"][0]["Effect"];
    if effect == "Allow" {
        tally.allowed += 1;
        Ok(true)
    } else if answer["errorMessage"] == "Unauthorized" {
        tally.refused += 1;
        Ok(false)
    } else {
        Err(wrong(&answer.to_string()))
    }
}

fn wrong(reason: &str) -> Failure {
    Failure::Answer { call: "an authorizer's call", reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_answer_is_one() {
        let (subject, begun) = (Subject::new(0, [Bytes::new(), Bytes::new()]), clocks::start());
        assert!(judge(&subject, &mut Seen::default(), begun, false).is_err(), "refused at first sight");

        let mut seen = Seen::default();
        judge(&subject, &mut seen, begun, true).unwrap();
        assert_eq!(seen.delay(&subject), None, "not revoked");
        subject.revoked(begun, begun);
        judge(&subject, &mut seen, begun + BOUND, true).unwrap();
        let after_the_bound = begun + BOUND + Duration::from_millis(1);
        assert!(judge(&subject, &mut seen, after_the_bound, true).is_err());
        assert_eq!(seen.delay(&subject), None, "not refused");
        judge(&subject, &mut seen, after_the_bound, false).unwrap();
        assert!(seen.delay(&subject).is_some());
        assert!(judge(&subject, &mut seen, begun, true).is_err(), "let through again");
    }
}
