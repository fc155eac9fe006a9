//! What is logged during an invocation can say which.

use std::sync::{Arc, Mutex};

use runtime::{Invocation, RuntimeError, request_id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use crate::lambda::{accepted, event, run, status};

/// Of which invocation each line is.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<Option<Arc<str>>>>>);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        self.0.lock().unwrap().push(request_id());
    }
}

#[tokio::test]
async fn each_line_bears_the_id_of_its_invocation() {
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    tracing::info!("before all");
    let script = vec![event("a-1", "x"), accepted(), event("a-2", "y"), status(413), status(500)];
    let (ended, _) = run(script, "", async |invocation: Invocation| {
        tracing::info!("before");
        tokio::task::yield_now().await;
        tracing::info!("after");
        tokio::spawn(async { tracing::info!("beside it") }).await.unwrap();
        Ok(invocation.event)
    })
    .await;
    tracing::info!("after all");
    drop(guard);
    assert!(matches!(ended, RuntimeError::Status { .. }));
    let ids = lines.0.lock().unwrap().clone();
    let ids: Vec<_> = ids.iter().map(|id| id.as_deref().unwrap_or("none")).collect();
    // The last of an invocation is that Lambda does not take its answer.
    assert_eq!(ids, ["none", "a-1", "a-1", "none", "a-2", "a-2", "none", "a-2", "none"]);
}
