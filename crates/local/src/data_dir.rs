//! The folder that outlives a run: the store's file, the master key, `demo.json`, the functions' logs.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure, Result};

/// Says that a folder is one of ours, and whose run it is while locked.
const MARKER: &str = "keygate-data";
/// The file of the secret that wraps the signing keys.
pub const MASTER_KEY: &str = "master.key";
const MASTER_KEY_LENGTH: usize = 48;
const DATABASE: &str = "keygate.db";
const LOGS: &str = "logs";

/// A data directory that this run alone uses. It is free again once this is dropped, however the run ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens `path`, making it where it isn't there, and empties it where `fresh` is set. Whatever modes it and what is
    /// in it had, they are its owner's alone afterwards.
    ///
    /// # Errors
    /// It holds something else than Keygate's data, another run uses it, or it belongs to somebody else.
    pub fn open(path: &Path, fresh: bool) -> Result<Self> {
        let shown = path.display();
        DirBuilder::new().recursive(true).mode(0o700).create(path).doing(|| format!("making {shown}"))?;
        let path = path.canonicalize().doing(|| format!("reading {shown}"))?;
        let marker = path.join(MARKER);
        if !marker.exists() && entries(&path)?.next().is_some() {
            return Err(Failure::new(format!(
                "{shown} holds something else than Keygate's data, so it is left alone: name another --data-dir"
            )));
        }
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&marker)
            .doing(|| format!("making {}", marker.display()))?;
        lock.try_lock()
            .map_err(|_| Failure::new(format!("{shown} is in use by another run: name another --data-dir")))?;
        if fresh {
            for entry in entries(&path)?.filter(|entry| *entry != marker) {
                let removed = if entry.is_dir() && !entry.is_symlink() {
                    std::fs::remove_dir_all(&entry)
                } else {
                    std::fs::remove_file(&entry)
                };
                removed.doing(|| format!("emptying {shown}"))?;
            }
        }
        keep_private(&path).doing(|| format!("making {shown} its owner's alone"))?;
        Ok(Self { path, _lock: lock })
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store's file, empty where there was none. SQLite gives the files beside it the same mode.
    ///
    /// # Errors
    /// It can't be made.
    pub fn database(&self) -> Result<PathBuf> {
        let file = self.path.join(DATABASE);
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&file)
            .doing(|| format!("making {}", file.display()))?;
        Ok(file)
    }

    /// What a caller needs to try the system.
    #[must_use]
    pub fn demo(&self) -> PathBuf {
        self.path.join("demo.json")
    }

    /// The file that `name` writes what it has to say to, emptied and ready.
    ///
    /// # Errors
    /// The folder for logs can't be made.
    pub fn log(&self, name: &str) -> Result<PathBuf> {
        self.folder(LOGS)?;
        let log = self.log_of(name);
        write_private(&log, b"")?;
        Ok(log)
    }

    /// The file that `name` writes what it has to say to.
    #[must_use]
    pub fn log_of(&self, name: &str) -> PathBuf {
        self.path.join(LOGS).join(format!("{name}.log"))
    }

    /// The folder `name` in this one, made where it isn't there.
    ///
    /// # Errors
    /// It can't be made.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.path.join(name);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .doing(|| format!("making {}", folder.display()))?;
        Ok(folder)
    }

    /// The secret that wraps the signing keys: made once, before the store's file, from the operating system's random
    /// source.
    ///
    /// # Errors
    /// It can't be read or saved, or the store's file is there without it: another one would open none of the signing
    /// keys in that.
    pub fn master_key(&self) -> Result<String> {
        let file = self.path.join(MASTER_KEY);
        if file.exists() {
            let saved = std::fs::read_to_string(&file).doing(|| format!("reading {}", file.display()))?;
            // An editor or a copy may have added a line end.
            let key = saved.trim();
            if key.len() >= MASTER_KEY_LENGTH {
                return Ok(key.to_owned());
            }
        }
        if self.path.join(DATABASE).exists() {
            return Err(Failure::new(format!(
                "{} is missing or cut off, and without it the signing keys in {DATABASE} beside it can't be opened: \
                 restore it from a copy, or start anew with --fresh, which deletes every key and counter in that folder",
                file.display()
            )));
        }
        let key = domain::random::base62(MASTER_KEY_LENGTH);
        write_private(&file, key.as_bytes())?;
        Ok(key)
    }
}

/// Takes everyone else's rights away from `folder` and what lies in it, a folder's content excepted: nobody else comes
/// that far.
fn keep_private(folder: &Path) -> std::io::Result<()> {
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_symlink() {
            continue;
        }
        let mode = entry.metadata()?.permissions().mode();
        std::fs::set_permissions(entry.path(), Permissions::from_mode(mode & 0o700))?;
    }
    Ok(())
}

/// Writes a file that only its owner may read, whole or not at all.
///
/// # Errors
/// The folder isn't writable, or the disk is full.
pub fn write_private(file: &Path, content: &[u8]) -> Result<()> {
    let draft = file.with_extension("draft");
    let write = || -> std::io::Result<()> {
        let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        out.write_all(content)?;
        out.sync_all()?;
        std::fs::rename(&draft, file)
    };
    write().doing(|| format!("writing {}", file.display()))
}

fn entries(folder: &Path) -> Result<impl Iterator<Item = PathBuf>> {
    let entries = std::fs::read_dir(folder).doing(|| format!("reading {}", folder.display()))?;
    Ok(entries.flatten().map(|entry| entry.path()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_master_key_is_made_once_and_is_its_owners_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let first = DataDir::open(&path, false).unwrap().master_key().unwrap();
        let again = DataDir::open(&path, false).unwrap().master_key().unwrap();
        assert_eq!(first, again);
        assert!(first.len() >= 32);
        assert_eq!(mode(&path.join(MASTER_KEY)), 0o600);
        assert_eq!(mode(&path), 0o700);
        let other = DataDir::open(&parent.path().join("other"), false).unwrap().master_key().unwrap();
        assert_ne!(first, other);
    }

    #[test]
    fn a_database_whose_master_key_is_lost_is_not_given_another() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let data = DataDir::open(&path, false).unwrap();
        let key = data.master_key().unwrap();
        data.database().unwrap();
        let (file, copy) = (path.join(MASTER_KEY), parent.path().join("copy"));
        std::fs::rename(&file, &copy).unwrap();
        let failure = data.master_key().unwrap_err().to_string();
        assert!(failure.contains("master.key is missing") && failure.contains("--fresh"), "{failure}");
        assert!(!file.exists());
        std::fs::write(&file, &key[1..]).unwrap();
        assert!(data.master_key().is_err());
        std::fs::write(&file, format!("{key}\n")).unwrap();
        assert_eq!(data.master_key().unwrap(), key);
        std::fs::rename(&copy, &file).unwrap();
        assert_eq!(data.master_key().unwrap(), key);
        std::fs::remove_file(&file).unwrap();
        drop(data);
        assert_ne!(DataDir::open(&path, true).unwrap().master_key().unwrap(), key);
    }

    #[test]
    fn whatever_modes_there_were_a_start_leaves_everything_to_the_owner() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        drop(DataDir::open(&path, false).unwrap());
        let loosen = |path: &Path, mode: u32| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        for name in [DATABASE, "keygate.db-wal", "keygate.db-shm", MASTER_KEY, "demo.json"] {
            std::fs::write(path.join(name), "x").unwrap();
            loosen(&path.join(name), 0o644);
        }
        let outside = parent.path().join("outside");
        std::fs::write(&outside, "x").unwrap();
        loosen(&outside, 0o644);
        std::os::unix::fs::symlink(&outside, path.join("link")).unwrap();
        loosen(&path.join(MARKER), 0o666);
        loosen(&path, 0o777);

        let data = DataDir::open(&path, false).unwrap();
        assert_eq!(mode(&path), 0o700);
        for name in [DATABASE, "keygate.db-wal", "keygate.db-shm", MASTER_KEY, "demo.json", MARKER] {
            assert_eq!(mode(&path.join(name)), 0o600, "{name}");
        }
        assert_eq!(mode(&outside), 0o644, "what a link points to is not ours");
        assert_eq!(std::fs::read(data.database().unwrap()).unwrap(), b"x");
    }

    #[test]
    fn a_new_database_is_its_owners_alone() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataDir::open(parent.path(), false).unwrap();
        assert_eq!(mode(&data.database().unwrap()), 0o600);
        assert_eq!(mode(&data.folder("events").unwrap()), 0o700);
    }

    #[test]
    fn fresh_empties_our_own_folder() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let data = DataDir::open(&path, false).unwrap();
        let key = data.master_key().unwrap();
        data.log("jwks").unwrap();
        drop(data);
        let data = DataDir::open(&path, true).unwrap();
        assert!(!path.join("logs").exists());
        assert_ne!(data.master_key().unwrap(), key);
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("thesis.txt");
        std::fs::write(&precious, "x").unwrap();
        for fresh in [false, true] {
            let failure = DataDir::open(folder.path(), fresh).unwrap_err();
            assert!(failure.to_string().contains("left alone"), "{failure}");
        }
        assert!(precious.exists());
        assert_eq!(entries(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_link_points_to_survives_fresh() {
        let parent = tempfile::tempdir().unwrap();
        let outside = parent.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("kept"), "x").unwrap();
        let path = parent.path().join("data");
        drop(DataDir::open(&path, false).unwrap());
        std::os::unix::fs::symlink(&outside, path.join("link")).unwrap();
        DataDir::open(&path, true).unwrap();
        assert!(outside.join("kept").exists() && !path.join("link").exists());
    }

    #[test]
    fn two_runs_do_not_share_a_folder() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let first = DataDir::open(&path, false).unwrap();
        assert!(DataDir::open(&path, true).unwrap_err().to_string().contains("in use"));
        drop(first);
        DataDir::open(&path, false).unwrap();
    }
}
