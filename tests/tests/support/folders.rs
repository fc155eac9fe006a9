//! Where the flows keep what they make: `target/tmp/flows`.

use std::fs::{File, create_dir_all};
use std::path::{Path, PathBuf};
use std::sync::Once;

/// The folder that is kept from one test run to the next.
pub fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flows").join(name);
    create_dir_all(&folder).unwrap();
    folder
}

/// Does `work` while no other test does such work, of this run or of another.
pub fn alone<T>(work: impl FnOnce() -> T) -> T {
    let lock = File::create(kept("").join("set-up.lock")).unwrap();
    lock.lock().unwrap();
    work()
}

/// A folder for one run of the system. It stays when the tests are over, for whoever wants to know what went wrong,
/// until another test run finds its owner gone.
#[derive(Debug)]
pub struct RunFolder {
    pub path: PathBuf,
    _lock: File,
}

impl RunFolder {
    pub fn new(name: &str) -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| alone(remove_left_behind));
        let path = kept("runs").join(format!("{}-{name}", std::process::id()));
        alone(|| {
            create_dir_all(&path).unwrap();
            let lock = File::create(path.join("lock")).unwrap();
            lock.lock().unwrap();
            Self { path, _lock: lock }
        })
    }
}

fn remove_left_behind() {
    for entry in std::fs::read_dir(kept("runs")).unwrap().flatten() {
        let is_free = File::open(entry.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_free {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
