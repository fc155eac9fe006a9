//! What is logged during an invocation says which.

use std::io;
use std::sync::{Arc, Mutex};

use runtime::{Invocation, RuntimeError};
use tracing_subscriber::fmt::MakeWriter;

use crate::lambda::{accepted, event, run, status};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn each_line_bears_the_id_of_its_invocation() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(lines.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let script = vec![event("a-1", "x"), accepted(), event("a-2", "y"), status(413), status(500)];
    let (ended, _) = run(script, "", async |invocation: Invocation| {
        tracing::info!("before");
        tokio::task::yield_now().await;
        tracing::info!("after");
        Ok(invocation.event)
    })
    .await;
    drop(guard);
    assert!(matches!(ended, RuntimeError::Status { .. }));
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let ids: Vec<_> = log.lines().map(|line| line.contains(r#""requestId":"a-1""#)).collect();
    assert_eq!(ids, [true, true, false, false, false], "{log}");
    assert_eq!(log.lines().filter(|line| line.contains(r#""requestId":"a-2""#)).count(), 3, "{log}");
}
