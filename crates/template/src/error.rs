//! What can be wrong with a template, and where in it.

use std::path::PathBuf;

/// Why a template could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file itself could not be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Not YAML; the message carries line and column.
    #[error("not valid YAML: {0}")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// Valid YAML that isn't the CloudFormation that this crate understands.
    #[error("{path}: {problem}")]
    At {
        /// The dotted path from the root of the file, for example
        /// `Resources.KeysTable.Properties.KeySchema`.
        path: String,
        /// What was expected there.
        problem: String,
    },
}

impl Error {
    pub(crate) fn at(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::At { path: path.into(), problem: problem.into() }
    }
}
