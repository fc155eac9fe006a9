//! The embedded store in a process of its own, which says how much CPU time it has used whenever it is asked.
//!
//! Its first line says where it answers. To each empty line that it reads it answers the CPU time since it began, in
//! nanoseconds; to a line of `Items` how many it has put. It ends where its input does, and so with the process that
//! started it, however that ends.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use embedded::Embedded;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Config, Store, Table};
use template::Template;

use crate::args::STORE;
use crate::clocks;
use crate::failure::Failure;

/// Items for a table, in the form that the store keeps them.
#[derive(Serialize, Deserialize)]
struct Items<'a> {
    table: &'a str,
    items: Value,
}

/// A store process; it ends when this is dropped.
#[derive(Debug)]
pub struct StoreProcess {
    child: Child,
    /// `None` once it is to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    endpoint: String,
}

impl StoreProcess {
    /// Starts one with the tables of `template.yaml`, kept in `file`.
    ///
    /// # Errors
    /// [`Failure::Io`] where it does not begin; it has said itself why.
    pub fn start(file: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(STORE).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(ended().into());
        };
        let mut process = Self { child, input: Some(input), output: BufReader::new(output), endpoint: String::new() };
        process.endpoint = process.line()?;
        Ok(process)
    }

    /// Where it answers: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The CPU time that it has used, user and system. To tell costs it some microseconds.
    ///
    /// # Errors
    /// [`Failure::Io`] where it is gone.
    pub fn cpu(&mut self) -> Result<Duration, Failure> {
        Ok(Duration::from_nanos(self.ask("")?))
    }

    /// Puts many items into a table, faster than through its interface.
    ///
    /// # Errors
    /// [`Failure::Io`] where it does not take all of them, and so is gone; it has said itself why.
    pub fn put_all(&mut self, table: &str, items: Vec<Value>) -> Result<(), Failure> {
        let count = items.len();
        let line = serde_json::to_string(&Items { table, items: items.into() }).map_err(io::Error::other)?;
        if self.ask(&line)? == u64::try_from(count).unwrap_or(u64::MAX) { Ok(()) } else { Err(ended().into()) }
    }

    /// Sends a line, and reads the number that is answered.
    fn ask(&mut self, line: &str) -> Result<u64, Failure> {
        let mut input = self.input.as_ref().ok_or_else(ended)?;
        input.write_all(line.as_bytes())?;
        input.write_all(b"\n")?;
        Ok(self.line()?.parse().map_err(io::Error::other)?)
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(ended().into());
        }
        Ok(line.trim_end().to_owned())
    }
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the store process has ended")
}

impl Drop for StoreProcess {
    fn drop(&mut self) {
        // It ends by itself now, and its file with its folder.
        self.input = None;
        let _ = self.child.wait();
    }
}

/// Is that process: serves the store in `file` until the input ends.
///
/// # Errors
/// [`Failure`] where it can't begin.
pub async fn serve(file: &Path) -> Result<(), Failure> {
    let template = Template::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml"))?;
    let embedded = Embedded::start(Some(file), &template).await?;
    // The runtime's own thread serves meanwhile.
    tokio::task::spawn_blocking(move || answer(&embedded)).await.map_err(io::Error::other)?
}

fn answer(embedded: &Embedded) -> Result<(), Failure> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    writeln!(output, "{}", embedded.endpoint())?;
    output.flush()?;
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let number = match line.trim_end() {
            "" => clocks::cpu().as_nanos(),
            items => {
                let Items { table, items } = serde_json::from_str(items).map_err(io::Error::other)?;
                u128::try_from(embedded.import_items(table, items)?).unwrap_or_default()
            }
        };
        writeln!(output, "{number}")?;
        output.flush()?;
        line.clear();
    }
    Ok(())
}

/// A connection to it. It calls its tables by their logical ids.
pub(crate) fn connect(endpoint: &str) -> Store {
    let names = [
        (Table::Keys, "KeysTable"),
        (Table::Directory, "DirectoryTable"),
        (Table::Signing, "SigningTable"),
        (Table::Usage, "UsageTable"),
        (Table::Audit, "AuditTable"),
    ];
    Store::connect_embedded(endpoint, Config::new(names.map(|(table, name)| (table, name.to_owned()))))
}
