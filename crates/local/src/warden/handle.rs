//! The warden as `local` sees it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{broadcast, mpsc, watch};

use super::{Order, Report};
use crate::args;
use crate::failure::{Context, Failure, Result};

/// How long the warden may take to stop everything before it is left to itself.
const PATIENCE: Duration = Duration::from_secs(8);

/// The warden's process.
#[derive(Debug)]
pub struct Warden {
    child: Child,
    orders: Orders,
    gone: watch::Receiver<bool>,
}

/// Tells the warden what to do, and hears from it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Orders {
    /// `None` is the end of its input, whoever else still has a clone of this.
    orders: mpsc::UnboundedSender<Option<Order>>,
    reports: broadcast::Sender<Report>,
}

impl Warden {
    /// Starts it.
    ///
    /// # Errors
    /// This program can't be started again.
    pub fn start() -> Result<Self> {
        // Under its path another build may lie by now; this is the program that runs.
        let running = PathBuf::from("/proc/self/exe");
        let program = if running.exists() {
            running
        } else {
            std::env::current_exe().doing(|| "finding this program".to_owned())?
        };
        let mut child = Command::new(program)
            .arg(args::WARDEN)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .doing(|| "starting the warden".to_owned())?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::new("starting the warden: no pipes"));
        };
        let (orders, from) = mpsc::unbounded_channel();
        let (reports, _) = broadcast::channel(256);
        let (set_gone, gone) = watch::channel(false);
        tokio::spawn(tell(from, input));
        tokio::spawn(hear(output, reports.clone(), set_gone));
        Ok(Self { child, orders: Orders { orders, reports }, gone })
    }

    /// A way to talk to it.
    #[must_use]
    pub fn orders(&self) -> Orders {
        self.orders.clone()
    }

    /// Waits until it is gone, which it never should be before it is told to stop.
    pub async fn gone(&self) {
        let _ = self.gone.clone().wait_for(|gone| *gone).await;
    }

    /// Ends everything that it looks after, and it.
    pub async fn stop(self) {
        let Self { mut child, orders, .. } = self;
        let _ = orders.orders.send(None);
        let _ = tokio::time::timeout(PATIENCE, child.wait()).await;
    }
}

impl Orders {
    /// Orders that nobody follows.
    #[cfg(test)]
    pub(crate) fn unheard() -> Self {
        Self { orders: mpsc::unbounded_channel().0, reports: broadcast::channel(16).0 }
    }

    /// Makes everyone hear `report`.
    #[cfg(test)]
    pub(crate) fn report(&self, report: Report) {
        let _ = self.reports.send(report);
    }

    /// Gives an order.
    pub fn give(&self, order: Order) {
        // Where the warden is gone, `Warden::gone` ends the run.
        let _ = self.orders.send(Some(order));
    }

    /// Everything that it reports from now on.
    #[must_use]
    pub fn reports(&self) -> broadcast::Receiver<Report> {
        self.reports.subscribe()
    }

    /// Waits until `name` has ended; the answer is how.
    pub async fn ended(reports: &mut broadcast::Receiver<Report>, name: &str) -> String {
        loop {
            match reports.recv().await {
                Ok(Report::Ended { name: ended, how }) if ended == name => return how,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return "the warden is gone".to_owned(),
            }
        }
    }
}

async fn tell(mut orders: mpsc::UnboundedReceiver<Option<Order>>, mut input: ChildStdin) {
    while let Some(Some(order)) = orders.recv().await {
        let Ok(line) = serde_json::to_string(&order) else { continue };
        if input.write_all(format!("{line}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn hear(output: ChildStdout, reports: broadcast::Sender<Report>, gone: watch::Sender<bool>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Ok(report) = serde_json::from_str(&line) {
            let _ = reports.send(report);
        }
    }
    let _ = gone.send(true);
}
