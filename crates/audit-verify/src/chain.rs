//! From link to link: whether events are one chain, and where it is broken first.

use std::collections::HashMap;
use std::fmt;

use thiserror::Error;

use crate::read::{Place, Recorded};

/// What is known of the chain from elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The hash of the event that the first one follows; `None` where the chain begins with it.
    pub after: Option<String>,
    /// The hash of the last event; `None` where nothing is known of it.
    pub head: Option<String>,
}

/// A whole chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many events are in it.
    pub events: usize,
    /// The first event and the last one.
    pub ends: Option<(Recorded, Recorded)>,
    /// How many stand outside of it.
    pub outside: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ends {
            None => f.write_str("whole: no events")?,
            Some((first, last)) => write!(
                f,
                "whole: {} events, first {} at {}, last {} at {}, head {}",
                self.events,
                shown(&first.id),
                shown(&first.at),
                shown(&last.id),
                shown(&last.at),
                last.hash.as_deref().unwrap_or_default(),
            )?,
        }
        write!(f, "; {} outside of the chain", self.outside)
    }
}

/// The first link that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.text())]
pub struct BrokenLink {
    /// The event; `None` where there is none.
    pub event: Option<Box<Recorded>>,
    /// What is wrong with it.
    pub problem: Problem,
    /// Whether all events of the chain are there as they were written, and only their order is not, or some stand twice:
    /// an export gone wrong, and no tampering.
    pub export_alone: bool,
}

/// What is wrong with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Its hash is not that of its content.
    Changed,
    /// The event that it follows is not there.
    MissingBefore,
    /// The event that it follows is not there, and nothing stands before it.
    Beginning,
    /// It begins a chain, and is not the first.
    BeginsAnew,
    /// The event that it follows stands behind it, here.
    OutOfOrder(Place),
    /// The same event stands here already.
    Doubled(Place),
    /// This one follows the same event.
    Rival(Place),
    /// It is the last one, and not the one that was named as such.
    NotTheHead,
    /// Events stand behind it that are not to be there.
    BehindTheHead,
}

impl BrokenLink {
    fn text(&self) -> String {
        let problem = match &self.problem {
            Problem::Changed => "changed: its hash is not that of its content".to_owned(),
            Problem::MissingBefore => "missing before it: the event that it follows is not there".to_owned(),
            Problem::Beginning => "missing before it: it is neither the beginning of a chain nor behind the --after \
                                   that was given"
                .to_owned(),
            Problem::BeginsAnew => "the beginning of a chain, where one that follows another is expected".to_owned(),
            Problem::OutOfOrder(place) => format!("out of order: the event that it follows is {place}"),
            Problem::Doubled(place) => format!("doubled: it is {place} as well"),
            Problem::Rival(place) => format!("put in: the event that it follows is followed by {place} already"),
            Problem::NotTheHead => "the last one, and not the --head that was given: the end is missing".to_owned(),
            Problem::BehindTheHead => "the --head that was given, but other events are behind it".to_owned(),
        };
        let subject = match &self.event {
            Some(event) => format!("{}, {}", event.place, shown(&event.id)),
            None => "no events".to_owned(),
        };
        let export_alone = if self.export_alone {
            ". Every event is there as it was written: the export is in disorder, not the chain"
        } else {
            ""
        };
        format!("{subject}: {problem}{export_alone}")
    }
}

/// What comes from the input can't move the cursor of a terminal.
fn shown(text: &str) -> impl fmt::Display {
    text.escape_debug()
}

/// Goes through the events in their order.
///
/// # Errors
/// The first [`BrokenLink`].
pub fn verify(events: &[Recorded], expected: &Expected) -> Result<Summary, BrokenLink> {
    let in_chain = |event: &&Recorded| event.hash.is_some() || event.previous_hash.is_some();
    let chained: Vec<&Recorded> = events.iter().filter(in_chain).collect();
    let chain = Chain::of(&chained, expected);
    let mut previous = expected.after.as_deref();
    for (place, event) in chained.iter().enumerate() {
        if let Some(problem) = chain.problem(place, event, previous) {
            let export_alone = matches!(problem, Problem::OutOfOrder(_) | Problem::Doubled(_)) && chain.is_there();
            return Err(BrokenLink { event: Some(Box::new((*event).clone())), problem, export_alone });
        }
        previous = event.hash.as_deref();
    }
    if let Some(head) = &expected.head
        && previous != Some(head)
    {
        let stated = chained.iter().find(|event| event.hash.as_ref() == Some(head));
        let (event, problem) = match stated {
            Some(event) => (Some(*event), Problem::BehindTheHead),
            None => (chained.last().copied(), Problem::NotTheHead),
        };
        return Err(BrokenLink { event: event.cloned().map(Box::new), problem, export_alone: false });
    }
    let ends = chained.first().zip(chained.last()).map(|(first, last)| ((*first).clone(), (*last).clone()));
    Ok(Summary { events: chained.len(), ends, outside: events.len() - chained.len() })
}

/// The events of a chain, to be found by their hashes.
struct Chain<'a> {
    events: &'a [&'a Recorded],
    expected: &'a Expected,
    /// Where the event of a hash stands first.
    places: HashMap<&'a str, usize>,
}

impl<'a> Chain<'a> {
    fn of(events: &'a [&'a Recorded], expected: &'a Expected) -> Self {
        let mut places = HashMap::new();
        for (place, event) in events.iter().enumerate() {
            if let Some(hash) = event.hash.as_deref().filter(|_| event.intact) {
                places.entry(hash).or_insert(place);
            }
        }
        Self { events, expected, places }
    }

    fn problem(&self, place: usize, event: &Recorded, previous: Option<&str>) -> Option<Problem> {
        let Some(hash) = event.hash.as_deref().filter(|_| event.intact) else { return Some(Problem::Changed) };
        let place_of = |place: usize| self.events[place].place.clone();
        if let Some(&first) = self.places.get(hash).filter(|&&first| first < place) {
            return Some(Problem::Doubled(place_of(first)));
        }
        if event.previous_hash.as_deref() == previous {
            return None;
        }
        let Some(follows) = event.previous_hash.as_deref() else { return Some(Problem::BeginsAnew) };
        Some(match self.places.get(follows) {
            // What stands before this one is a chain so far: each of its events is followed by the next.
            Some(&before) if before < place => Problem::Rival(place_of(before + 1)),
            Some(&behind) => Problem::OutOfOrder(place_of(behind)),
            None if self.expected.after.as_deref() == Some(follows) => Problem::Rival(place_of(0)),
            None if place == 0 => Problem::Beginning,
            None => Problem::MissingBefore,
        })
    }

    /// Whether the events, each once and in the right order, are the expected chain.
    fn is_there(&self) -> bool {
        let followers: HashMap<Option<&str>, &str> =
            self.places.iter().map(|(&hash, &place)| (self.events[place].previous_hash.as_deref(), hash)).collect();
        let (mut last, mut found) = (self.expected.after.as_deref(), 0);
        while let Some(&hash) = followers.get(&last) {
            (last, found) = (Some(hash), found + 1);
        }
        let head = self.expected.head.as_deref();
        found == self.places.len() && self.events.iter().all(|event| event.intact) && head.is_none_or(|_| head == last)
    }
}
