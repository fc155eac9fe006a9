//! `POST …/api_keys/import`: another system's keys by their hashes, so that whoever holds them goes on using them.
//!
//! 1. What is wrong with the call as a whole is said of the whole; what is wrong with a row, or not the caller's to make, is
//!    said of that row, and the others go on.
//! 2. What is there already is found by one read for every hundred rows. A dry run ends here.
//! 3. The pattern is registered, so that strings which it matches are looked up. Then the rows are written, some together, each
//!    with its event. Where another import was faster, its rows are found at a second look.
//! 4. A fault leaves what was written by then, and the same call sent again finishes: no row is ever written twice.

use domain::{Action, ClientId, Deed, HashedKey, KeyPattern, KeyPrefix, KeyRecord, Moment, PatternProblem};
use edge::{ApiError, Reply, Request};
use serde::{Deserialize, Serialize};
use store::StoreError;
use store::import::{IMPORTED_TOGETHER, KeysImported, MOST_PATTERNS, PatternRegistered};

use crate::App;
use crate::caller::Caller;
use crate::import_row::{RowForm, RowReader};
use crate::record::{RecordView, Shown};

/// The longest body: 5 MB.
const MAX_BODY: usize = 5 * 1024 * 1024;
/// How many rows one call takes.
const MAX_ROWS: usize = 200;
/// How often rows are looked for anew where others import the same.
const ATTEMPTS: usize = 5;

/// How many records are shown by one read.
const SHOWN_TOGETHER: usize = 100;

/// One answer for what is no hash and for what is another client's: nobody is told of the other.
pub(crate) const NO_HASH: &str = "`hash` can't be imported: it must be the SHA-256 of one key's string, in 64 hex digits, or \
                                  in 44 characters of base64 with padding";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportForm {
    dry_run: bool,
    pattern: PatternForm,
    rows: Vec<RowForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternForm {
    prefix: String,
    length: usize,
}

#[derive(Serialize)]
struct ImportAnswer<'a> {
    data: Vec<RowView<'a>>,
}

#[derive(Serialize)]
struct RowView<'a> {
    row: usize,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordView<'a>>,
}

/// What becomes of a row.
enum Outcome {
    /// Its key is to be written.
    Wanted(Box<KeyRecord>),
    /// It is.
    Imported(Box<KeyRecord>),
    /// It was before.
    Exists(Box<KeyRecord>),
    /// It will not be.
    Invalid(String),
}

impl PatternForm {
    fn read(&self) -> Result<KeyPattern, ApiError> {
        let bad = |problem: &str| ApiError::BadRequest(format!("`pattern`: {problem}"));
        let prefix = KeyPrefix::parse(&self.prefix)
            .ok_or_else(|| bad("`prefix` must be 2 to 20 of `A-Z a-z 0-9 _ -`, and not begin with `agent_tok`"))?;
        KeyPattern::new(prefix, self.length).map_err(|problem: PatternProblem| bad(&problem.to_string()))
    }
}

/// Imports keys, or says what would become of each.
pub(crate) async fn import(app: &App, caller: &Caller, request: &Request, now: Moment) -> Result<Reply, ApiError> {
    let form: ImportForm = edge::json_up_to(MAX_BODY, request)?;
    // Only its form counts: an import may be repeated without it.
    edge::Repeatable::read(request)?;
    let pattern = form.pattern.read()?;
    if !(1..=MAX_ROWS).contains(&form.rows.len()) {
        return Err(ApiError::BadRequest(format!("`rows` must be 1 to {MAX_ROWS}")));
    }
    let mut rows = read_rows(app, caller, &form, &pattern, now).await?;
    look(app, caller, &mut rows).await?;
    let any = rows.iter().any(|row| !matches!(row, Outcome::Invalid(_)));
    if form.dry_run {
        if any {
            let own = app.store.pattern_list_of_client(caller.client_id()).await?;
            if own.len() >= MOST_PATTERNS && !own.contains(&pattern) {
                return Err(too_many_patterns());
            }
        }
    } else {
        if any {
            let registering = Box::pin(app.store.pattern_register(caller.client_id(), &pattern, &caller.act));
            if registering.await? == PatternRegistered::TooMany {
                return Err(too_many_patterns());
            }
        }
        write(app, caller, &mut rows).await?;
    }
    answer(app, caller.client_id(), &rows, now).await
}

fn too_many_patterns() -> ApiError {
    ApiError::Conflict(format!("A client has {MOST_PATTERNS} patterns at most, and this would be one more"))
}

async fn read_rows(
    app: &App,
    caller: &Caller,
    form: &ImportForm,
    pattern: &KeyPattern,
    now: Moment,
) -> Result<Vec<Outcome>, ApiError> {
    let client = app.store.client_by_id(caller.client_id()).await?.ok_or(ApiError::NotFound)?;
    let mut reader = RowReader::new(app, caller, &client, pattern, now);
    let mut rows = Vec::with_capacity(form.rows.len());
    let mut refused: Option<(ApiError, usize)> = None;
    for (place, row) in form.rows.iter().enumerate() {
        rows.push(match reader.read(place, row).await {
            Ok(record) => Outcome::Wanted(Box::new(record)),
            Err(ApiError::BadRequest(reason)) => Outcome::Invalid(reason),
            Err(ApiError::Forbidden(reason)) => {
                let (_, count) = refused.get_or_insert_with(|| (ApiError::Forbidden(reason.clone()), 0));
                *count += 1;
                Outcome::Invalid(reason)
            }
            Err(error) => return Err(error),
        });
    }
    if let Some((error, count)) = refused.filter(|_| !form.dry_run) {
        let deed = Deed::new(Action::KeyImported, &client.id).with("rows", count);
        edge::note_refusal(&app.store, &client.id, &caller.act, deed, &error).await;
    }
    Ok(rows)
}

/// Looks for wanted rows whose hash leads to a key by now.
async fn look(app: &App, caller: &Caller, rows: &mut [Outcome]) -> Result<(), ApiError> {
    let wanted = |row: &Outcome| match row {
        Outcome::Wanted(record) => Some(record.hash.clone()),
        _ => None,
    };
    let hashes: Vec<HashedKey> = rows.iter().filter_map(wanted).collect();
    let found = app.store.import_find(&hashes).await?;
    let ids: Vec<_> = found.values().map(|leads| leads.key_id.clone()).collect();
    let mut records = app.store.keys_of_client(caller.client_id(), &ids).await?;
    for row in rows {
        let Outcome::Wanted(record) = &*row else { continue };
        let Some(leads) = found.get(&record.hash) else { continue };
        let place = records.iter().position(|record| record.id == leads.key_id);
        *row = match place.map(|place| Box::new(records.swap_remove(place))) {
            // Written by this very call, whose answer was lost on its way here.
            Some(written) if written.id == record.id => Outcome::Imported(written),
            Some(written) if caller.may_see(&written).is_ok() => Outcome::Exists(written),
            _ => Outcome::Invalid(NO_HASH.to_owned()),
        };
    }
    Ok(())
}

/// Writes what is wanted.
async fn write(app: &App, caller: &Caller, rows: &mut [Outcome]) -> Result<(), ApiError> {
    // All rows of a part fit into one transaction, whether they are wanted or not.
    for part in rows.chunks_mut(IMPORTED_TOGETHER) {
        let mut attempts = 0..ATTEMPTS;
        loop {
            let wanted = |row: &Outcome| match row {
                Outcome::Wanted(record) => Some((**record).clone()),
                _ => None,
            };
            let records: Vec<KeyRecord> = part.iter().filter_map(wanted).collect();
            if records.is_empty() {
                break;
            }
            attempts.next().ok_or(StoreError::Contended)?;
            // Boxed: the future of a transaction is large, and is part of everything that waits for it.
            let writing = Box::pin(app.store.import_keys(caller.client_id(), &records, &caller.act));
            match writing.await? {
                KeysImported::Taken => look(app, caller, part).await?,
                KeysImported::Done => {
                    for row in &mut *part {
                        if let Outcome::Wanted(record) = row {
                            *row = Outcome::Imported(record.clone());
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

async fn answer(app: &App, client: &ClientId, rows: &[Outcome], now: Moment) -> Result<Reply, ApiError> {
    let there = |row: &Outcome| match row {
        Outcome::Imported(record) | Outcome::Exists(record) => Some((**record).clone()),
        Outcome::Wanted(_) | Outcome::Invalid(_) => None,
    };
    let records: Vec<KeyRecord> = rows.iter().filter_map(there).collect();
    let mut shown = Vec::with_capacity(records.len());
    for page in records.chunks(SHOWN_TOGETHER) {
        shown.extend(Shown::page(app, client, page, now).await?);
    }
    let mut views = records.iter().zip(&shown).map(|(record, shown)| RecordView::of(record, shown));
    let data = rows.iter().enumerate().map(|(row, outcome)| match outcome {
        Outcome::Wanted(_) => RowView { row, result: "would_import", reason: None, record: None },
        Outcome::Imported(_) => RowView { row, result: "imported", reason: None, record: views.next() },
        Outcome::Exists(_) => RowView { row, result: "exists", reason: None, record: views.next() },
        Outcome::Invalid(reason) => RowView { row, result: "invalid", reason: Some(reason), record: None },
    });
    Ok(edge::ok(&ImportAnswer { data: data.collect() }))
}
