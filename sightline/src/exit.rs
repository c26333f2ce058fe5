//! Exit codes, and how a failure is told.

use std::process::ExitCode;

/// What a command ends with. The numbers are part of the command line's contract (`docs/cli.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Ok = 0,
    /// Some of it was done; the report says what was not.
    Partial = 3,
}

/// A failure with an exit code of its own; anything else ends with 1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The input was wrong: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Somebody may not do that: exit code 5.
    #[error("{0}")]
    Denied(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Denied(_) => 5,
        }
    }
}

/// Tells the outcome on stderr and turns it into the process's exit code.
pub(crate) fn report(outcome: anyhow::Result<Exit>) -> ExitCode {
    match outcome {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            let code =
                error.chain().find_map(|cause| cause.downcast_ref::<Failure>()).map_or(1, Failure::code);
            crate::output::problem(&error);
            ExitCode::from(code)
        }
    }
}
