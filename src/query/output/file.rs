//! Results in a file: whole there, or not at all.

use crate::error::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that results are written to. It takes its name when it is [finished](Self::finish).
#[derive(Debug)]
pub(crate) struct OutputFile {
    path: PathBuf,
    to: To,
    /// Results in it so far.
    pub(crate) results: usize,
}

#[derive(Debug)]
enum To {
    Aside(BufWriter<NamedTempFile>),
    /// A pipe or a device is written to as it is.
    Itself(BufWriter<File>),
}

impl OutputFile {
    /// Begins the file at `path`.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let special = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        let to = if special {
            OpenOptions::new().write(true).open(path).map(|file| To::Itself(BufWriter::new(file)))
        } else {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let aside = Self::aside(folder.unwrap_or_else(|| Path::new(".")));
            aside.map(|file| To::Aside(BufWriter::new(file)))
        };
        let to = to.map_err(Error::io("create", path))?;
        Ok(Self { path: path.to_owned(), to, results: 0 })
    }

    /// A new file in a folder, readable by whom the user's other files are.
    fn aside(folder: &Path) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".buildtrail-");
        // As far as the umask lets.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
        builder.tempfile_in(folder)
    }

    /// Gives the file its name.
    pub(crate) fn finish(self) -> Result<()> {
        let failed = || Error::io("write", &self.path);
        match self.to {
            To::Itself(mut out) => out.flush().map_err(failed()),
            To::Aside(out) => {
                let file = out.into_inner().map_err(|error| failed()(error.into_error()))?;
                file.persist(&self.path).map_err(|error| failed()(error.error))?;
                Ok(())
            }
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::Aside(out) => out.write(bytes),
            To::Itself(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Aside(out) => out.flush(),
            To::Itself(out) => out.flush(),
        }
    }
}
