//! Subjects that are running: what a call costs.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;

use crate::compare::subject::{Expected, Subject, patiently};
use crate::counted::Counted;
use crate::failure::Failure;
use crate::process;
use crate::runtime_api::{Answer, Instance};
use crate::{clocks, compare::peers::TokenServer};

/// How many calls warm a subject up at first: enough for a just-in-time compiler.
const WARM_UP: usize = 2_000;
/// How many calls come before each batch, uncounted: one reads the feed anew, which has grown old since the last batch.
const BEFORE: usize = 10;

/// What is asked.
pub(super) enum Target {
    /// A function under Lambda.
    Function(Instance),
    /// A server that gives tokens by HTTP.
    Server(TokenServer),
    /// Something that this process does itself.
    Here(Box<dyn FnMut()>),
}

/// A subject that is warm.
pub(super) struct Warm {
    /// What it is called in every report.
    pub(super) name: &'static str,
    target: Target,
    events: Vec<Bytes>,
    /// How many calls were made.
    made: usize,
    expected: Expected,
    /// Its way to the store, where it has one.
    way: Option<Arc<Counted>>,
}

/// What a batch of calls cost.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Batch {
    /// CPU time per call, in microseconds.
    pub(super) cpu: f64,
    /// How long each call took, in microseconds.
    pub(super) wall: Vec<f64>,
    /// Calls of the store per call.
    pub(super) store_calls: Option<f64>,
}

impl Warm {
    /// Starts a function.
    pub(super) async fn function(subject: Subject, way: Option<Arc<Counted>>) -> Result<Self, Failure> {
        let Subject { name, start, event, expected } = subject;
        let target = Target::Function(Instance::start(start()).await?);
        Ok(Self { name, target, events: vec![event], made: 0, expected, way })
    }

    /// The same, asked these in turns.
    pub(super) fn asked(self, events: Vec<Bytes>) -> Self {
        Self { events, ..self }
    }

    /// Takes a server that runs.
    pub(super) fn server(name: &'static str, server: TokenServer) -> Self {
        Self::of(name, Target::Server(server))
    }

    /// Takes something that is done here.
    pub(super) fn here(name: &'static str, work: impl FnMut() + 'static) -> Self {
        Self::of(name, Target::Here(Box::new(work)))
    }

    fn of(name: &'static str, target: Target) -> Self {
        Self { name, target, events: Vec::new(), made: 0, expected: Expected::Constant, way: None }
    }

    /// Makes it as fast as it gets.
    pub(super) async fn warm_up(&mut self) -> Result<(), Failure> {
        // Signatures here have nothing to warm up, and one costs most of a millisecond.
        let calls = if matches!(self.target, Target::Here(_)) { BEFORE } else { warm_up_calls() };
        self.calls(calls).await.map(|_| ())
    }

    /// A batch of calls.
    pub(super) async fn batch(&mut self, calls: usize) -> Result<Batch, Failure> {
        self.calls(BEFORE).await?;
        if let Some(way) = &self.way {
            way.take();
        }
        let before = self.cpu()?;
        let wall = self.calls(calls).await?;
        let cpu = self.cpu()?.saturating_sub(before);
        let all = f64::from(u32::try_from(calls.max(1)).unwrap_or(u32::MAX));
        let count = |way: &Arc<Counted>| way.take().values().sum::<usize>();
        let store_calls = self.way.as_ref().map(count).and_then(|count| u32::try_from(count).ok());
        Ok(Batch {
            cpu: cpu.as_secs_f64() * 1e6 / all,
            wall,
            store_calls: store_calls.map(|count| f64::from(count) / all),
        })
    }

    /// The most memory that its process has had, in MB.
    pub(super) fn peak_memory(&self) -> Result<Option<f64>, Failure> {
        match &self.target {
            Target::Function(instance) => process::peak_memory(instance.pid()).map(Some),
            Target::Server(server) => process::peak_memory(server.pid()).map(Some),
            Target::Here(_) => Ok(None),
        }
    }

    fn cpu(&self) -> Result<Duration, Failure> {
        match &self.target {
            Target::Function(instance) => process::cpu(instance.pid()),
            Target::Server(server) => process::cpu(server.pid()),
            Target::Here(_) => Ok(clocks::cpu()),
        }
    }

    /// Calls one after another, and how long each took. The answers are looked at when all are there.
    async fn calls(&mut self, calls: usize) -> Result<Vec<f64>, Failure> {
        let mut wall = Vec::with_capacity(calls);
        let mut answers: Vec<Answer> = Vec::with_capacity(calls);
        for _ in 0..calls {
            let start = clocks::start();
            match &mut self.target {
                Target::Function(instance) => {
                    let event = self.events[self.made % self.events.len()].clone();
                    answers.push(patiently(self.name, instance.invoke(event)).await?);
                }
                Target::Server(server) => server.token().await?,
                Target::Here(work) => work(),
            }
            self.made += 1;
            wall.push(start.elapsed().as_secs_f64() * 1e6);
        }
        answers.iter().try_for_each(|answer| self.expected.check(self.name, answer))?;
        Ok(wall)
    }
}

/// Without optimisation nobody reads the times.
fn warm_up_calls() -> usize {
    if cfg!(debug_assertions) { BEFORE } else { WARM_UP }
}
