//! The warden's own process.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Order, Program, Report, TOOK_TOO_LONG};
use crate::{clock, signals};

/// How long a child may take to write what it still has to; Lambda gives 0.5 s.
const GRACE: Duration = Duration::from_secs(2);
/// A program that ends sooner than this is not started again at once.
const SHORT_LIFE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(1);

/// Runs until standard input ends or a signal comes; nothing that was started is left behind.
pub async fn run() {
    let (reports, mut told) = mpsc::unbounded_channel();
    let telling = tokio::spawn(async move {
        while let Some(report) = told.recv().await {
            tell(&report);
        }
    });
    let mut stop = std::pin::pin!(signals::stop());
    supervise(tokio::io::stdin(), &mut stop, reports).await;
    let _ = telling.await;
}

/// Follows the orders that come from `input` until it ends or `stop` is done.
async fn supervise(
    input: impl AsyncRead + Unpin,
    stop: &mut (impl Future<Output = ()> + Unpin),
    reports: mpsc::UnboundedSender<Report>,
) {
    let mut wards: BTreeMap<String, Ward> = BTreeMap::new();
    let mut orders = BufReader::new(input).lines();
    loop {
        let line = tokio::select! {
            line = orders.next_line() => line,
            () = &mut *stop => break,
        };
        let Ok(Some(line)) = line else { break };
        match serde_json::from_str(&line) {
            Ok(Order::Start(program)) => {
                wards.insert(program.name.clone(), Ward::new(program, reports.clone()));
            }
            Ok(Order::Restart(name)) => {
                if let Some(ward) = wards.get(&name) {
                    let _ = ward.restart.send(());
                }
            }
            Err(_) => break,
        }
    }
    // Functions first: what they still write goes through what else runs.
    let (functions, others): (Vec<_>, Vec<_>) = wards.into_values().partition(|ward| ward.keep_running);
    for group in [functions, others] {
        let ends: Vec<_> = group.into_iter().map(Ward::stop).collect();
        for end in ends {
            let _ = end.await;
        }
    }
}

struct Ward {
    keep_running: bool,
    restart: mpsc::UnboundedSender<()>,
    task: JoinHandle<()>,
}

impl Ward {
    fn new(program: Program, reports: mpsc::UnboundedSender<Report>) -> Self {
        let (restart, orders) = mpsc::unbounded_channel();
        Self { keep_running: program.keep_running, restart, task: tokio::spawn(look_after(program, orders, reports)) }
    }

    /// Lets go of the program; the task ends once it has ended.
    fn stop(self) -> JoinHandle<()> {
        self.task
    }
}

async fn look_after(
    program: Program,
    mut restart: mpsc::UnboundedReceiver<()>,
    reports: mpsc::UnboundedSender<Report>,
) {
    let name = || program.name.clone();
    loop {
        let started = clock::stopwatch();
        // What was meant for an earlier process of this name is not for the next.
        while restart.try_recv().is_ok() {}
        let how = match spawn(&program) {
            Err(error) => error.to_string(),
            Ok(mut child) => {
                if let Some(pid) = child.id() {
                    let _ = reports.send(Report::Started { name: name(), pid });
                }
                tokio::select! {
                    status = child.wait() => describe(status),
                    order = restart.recv() => {
                        if order.is_none() {
                            end(&mut child).await;
                            return;
                        }
                        let _ = child.kill().await;
                        TOOK_TOO_LONG.to_owned()
                    }
                }
            }
        };
        let _ = reports.send(Report::Ended { name: name(), how });
        if !program.keep_running {
            return;
        }
        if started.elapsed() < SHORT_LIFE {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                order = restart.recv() => if order.is_none() { return },
            }
        }
    }
}

fn spawn(program: &Program) -> std::io::Result<Child> {
    let log = OpenOptions::new().append(true).create(true).open(&program.log)?;
    let mut command = Command::new(&program.executable);
    if let Some(environment) = &program.environment {
        command.env_clear().envs(environment);
    }
    command
        .args(&program.arguments)
        .current_dir(&program.folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
}

async fn end(child: &mut Child) {
    let pid = child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::TERM);
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

fn tell(report: &Report) {
    // `local` may be gone; then nobody needs to know.
    if let Ok(line) = serde_json::to_string(report) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::io::{AsyncWriteExt, DuplexStream};

    use super::*;

    /// What a busy machine may take for what is at once otherwise.
    const PATIENT: Duration = Duration::from_secs(30);

    /// A warden over programs that are shell scripts.
    struct Trial {
        folder: tempfile::TempDir,
        input: DuplexStream,
        reports: mpsc::UnboundedReceiver<Report>,
        warden: JoinHandle<()>,
    }

    impl Trial {
        fn new() -> Self {
            let (input, orders) = tokio::io::duplex(4096);
            let (send, reports) = mpsc::unbounded_channel();
            let warden = tokio::spawn(async move {
                supervise(orders, &mut std::pin::pin!(std::future::pending()), send).await;
            });
            Self { folder: tempfile::tempdir().unwrap(), input, reports, warden }
        }

        async fn order(&mut self, order: &Order) {
            let line = format!("{}\n", serde_json::to_string(order).unwrap());
            self.input.write_all(line.as_bytes()).await.unwrap();
        }

        async fn start(&mut self, name: &str, script: &str, keep_running: bool) {
            let program = Program {
                name: name.to_owned(),
                executable: "/bin/sh".into(),
                arguments: vec!["-c".to_owned(), script.to_owned()],
                environment: Some([("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into()),
                folder: self.folder.path().to_owned(),
                log: self.log(name),
                keep_running,
            };
            self.order(&Order::Start(program)).await;
        }

        fn log(&self, name: &str) -> std::path::PathBuf {
            self.folder.path().join(name)
        }

        async fn report(&mut self) -> Option<Report> {
            tokio::time::timeout(PATIENT, self.reports.recv()).await.unwrap()
        }

        async fn started(&mut self) -> u32 {
            match self.report().await {
                Some(Report::Started { pid, .. }) => pid,
                other => panic!("{other:?}"),
            }
        }

        async fn ended(&mut self) -> String {
            match self.report().await {
                Some(Report::Ended { how, .. }) => how,
                other => panic!("{other:?}"),
            }
        }

        async fn written(&self, name: &str, text: &str) {
            for _ in 0..1200 {
                if std::fs::read_to_string(self.log(name)).unwrap_or_default().contains(text) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            panic!("{name} has not written {text}");
        }
    }

    fn lives(pid: u32) -> bool {
        Path::new(&format!("/proc/{pid}")).exists()
    }

    #[tokio::test]
    async fn a_function_that_ends_is_started_again_and_another_program_is_not() {
        let mut trial = Trial::new();
        trial.start("function", "exit 3", true).await;
        let first = trial.started().await;
        assert_eq!(trial.ended().await, "exit status: 3");
        assert_ne!(trial.started().await, first);

        let mut trial = Trial::new();
        trial.start("other", "exit 0", false).await;
        trial.started().await;
        trial.ended().await;
        assert!(tokio::time::timeout(PAUSE * 2, trial.reports.recv()).await.is_err(), "nothing more happens");
    }

    #[tokio::test]
    async fn when_the_input_ends_children_may_finish_what_they_write() {
        let mut trial = Trial::new();
        trial.start("function", "trap 'echo flushed; exit' TERM; echo up; while :; do sleep 0.05; done", true).await;
        let pid = trial.started().await;
        trial.written("function", "up").await;
        drop(trial.input);
        trial.warden.await.unwrap();
        assert!(!lives(pid));
        assert!(std::fs::read_to_string(trial.folder.path().join("function")).unwrap().contains("flushed"));
    }

    #[tokio::test]
    async fn a_child_that_will_not_stop_is_killed() {
        let mut trial = Trial::new();
        trial.start("function", "trap '' TERM; echo up; while :; do sleep 0.05; done", true).await;
        let pid = trial.started().await;
        trial.written("function", "up").await;
        drop(trial.input);
        tokio::time::timeout(PATIENT, trial.warden).await.unwrap().unwrap();
        assert!(!lives(pid));
    }

    #[tokio::test]
    async fn a_function_that_takes_too_long_is_replaced() {
        let mut trial = Trial::new();
        trial.start("function", "exec sleep 60", true).await;
        let pid = trial.started().await;
        trial.order(&Order::Restart("function".to_owned())).await;
        assert!(trial.ended().await.starts_with("killed"));
        assert_ne!(trial.started().await, pid);
        assert!(!lives(pid));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_reported() {
        let mut trial = Trial::new();
        let program = Program {
            name: "nothing".to_owned(),
            executable: "/nowhere/nothing".into(),
            arguments: Vec::new(),
            environment: None,
            folder: trial.folder.path().to_owned(),
            log: trial.log("nothing"),
            keep_running: false,
        };
        trial.order(&Order::Start(program)).await;
        assert!(trial.ended().await.contains("No such file"));
    }
}
