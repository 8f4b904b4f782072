//! Which files lie on this machine?
//!
//! A tree as a persistent map from absolute path to text: cloning is O(1). Directories are entries of their own.
//! MODEL: no owners, permissions, links or times of change; a file is text.

use std::rc::Rc;

use imbl::OrdMap;

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A directory.
    Directory,
    /// A text.
    File(Rc<str>),
}

/// Why a file operation failed, in the words of `strerror`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// ENOENT.
    #[error("No such file or directory")]
    NotFound,
    /// EISDIR.
    #[error("Is a directory")]
    IsDirectory,
    /// ENOTDIR.
    #[error("Not a directory")]
    NotDirectory,
    /// EEXIST.
    #[error("File exists")]
    Exists,
    /// ENOSPC, when the lab's own budget is used up.
    #[error("No space left on device")]
    NoSpace,
}

/// Most bytes in all files together. Keeps a loop that appends from eating the page's memory.
pub const MOST_BYTES: usize = 64 << 20;

/// The files of one machine.
#[derive(Clone, Debug)]
pub struct Files {
    entries: OrdMap<Rc<str>, Entry>,
    bytes: usize,
}

impl Files {
    /// A machine with `/tmp` and a home directory.
    #[must_use]
    pub fn with_home(home: &str) -> Self {
        let mut files = Self { entries: OrdMap::new(), bytes: 0 };
        files.entries.insert("/".into(), Entry::Directory);
        files.make_all("/tmp");
        files.make_all(home);
        files
    }

    /// Makes a directory and those above it.
    pub fn make_all(&mut self, path: &str) {
        let mut so_far = String::new();
        for part in path.split('/').filter(|p| !p.is_empty()) {
            so_far.push('/');
            so_far.push_str(part);
            if !self.entries.contains_key(so_far.as_str()) {
                self.entries.insert(so_far.as_str().into(), Entry::Directory);
            }
        }
    }

    /// What lies at an absolute path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Whether a directory lies there.
    #[must_use]
    pub fn is_directory(&self, path: &str) -> bool {
        matches!(self.get(path), Some(Entry::Directory))
    }

    /// The text of a file.
    /// # Errors
    /// Nothing there, or a directory.
    pub fn read(&self, path: &str) -> Result<Rc<str>, FileError> {
        match self.get(path) {
            Some(Entry::File(text)) => Ok(text.clone()),
            Some(Entry::Directory) => Err(FileError::IsDirectory),
            None if self.blocked(path) => Err(FileError::NotDirectory),
            None => Err(FileError::NotFound),
        }
    }

    fn blocked(&self, path: &str) -> bool {
        let mut above = parent(path);
        loop {
            match self.get(above) {
                Some(Entry::File(_)) => return true,
                Some(Entry::Directory) => return false,
                None if above == "/" => return false,
                None => above = parent(above),
            }
        }
    }

    /// Writes a whole file.
    /// # Errors
    /// A directory is there, or none is above it, or the disk is full.
    pub fn write(&mut self, path: &str, text: &str) -> Result<(), FileError> {
        let before = match self.get(path) {
            Some(Entry::Directory) => return Err(FileError::IsDirectory),
            Some(Entry::File(text)) => text.len(),
            None => 0,
        };
        match self.get(parent(path)) {
            Some(Entry::Directory) => {}
            Some(Entry::File(_)) => return Err(FileError::NotDirectory),
            None => {
                return Err(if self.blocked(path) { FileError::NotDirectory } else { FileError::NotFound });
            }
        }
        let bytes = self.bytes - before + text.len();
        if bytes > MOST_BYTES {
            return Err(FileError::NoSpace);
        }
        self.bytes = bytes;
        self.entries.insert(path.into(), Entry::File(text.into()));
        Ok(())
    }

    /// Adds to the end of a file.
    /// # Errors
    /// As [`Files::write`].
    pub fn append(&mut self, path: &str, text: &str) -> Result<(), FileError> {
        match self.read(path) {
            Ok(before) => {
                let mut whole = String::with_capacity(before.len() + text.len());
                whole.push_str(&before);
                whole.push_str(text);
                self.write(path, &whole)
            }
            Err(FileError::NotFound) => self.write(path, text),
            Err(other) => Err(other),
        }
    }

    /// Makes one directory.
    /// # Errors
    /// Something is there, or no directory is above it.
    pub fn make(&mut self, path: &str) -> Result<(), FileError> {
        if self.get(path).is_some() {
            return Err(FileError::Exists);
        }
        match self.get(parent(path)) {
            Some(Entry::Directory) => {
                self.entries.insert(path.into(), Entry::Directory);
                Ok(())
            }
            Some(Entry::File(_)) => Err(FileError::NotDirectory),
            None => Err(FileError::NotFound),
        }
    }

    /// Takes away what lies at a path and below it.
    pub fn remove(&mut self, path: &str) {
        let below = format!("{}/", path.trim_end_matches('/'));
        let gone: Vec<Rc<str>> =
            self.entries.keys().filter(|p| p.as_ref() == path || p.starts_with(&below)).cloned().collect();
        for path in gone {
            if let Some(Entry::File(text)) = self.entries.remove(&path) {
                self.bytes -= text.len();
            }
        }
    }

    /// Names directly in a directory, sorted as bytes.
    #[must_use]
    pub fn list(&self, directory: &str) -> Vec<String> {
        let below = if directory == "/" { "/".to_owned() } else { format!("{directory}/") };
        self.entries
            .range(Rc::<str>::from(below.as_str())..)
            .take_while(|(path, _)| path.starts_with(&below))
            .filter_map(|(path, _)| path.strip_prefix(below.as_str()))
            .filter(|name| !name.is_empty() && !name.contains('/'))
            .map(str::to_owned)
            .collect()
    }

    /// Every path at or below a directory, with what lies there, sorted.
    #[must_use]
    pub fn below(&self, directory: &str) -> Vec<(String, Entry)> {
        let below = if directory == "/" { "/".to_owned() } else { format!("{directory}/") };
        self.entries
            .iter()
            .filter(|(path, _)| path.as_ref() == directory || path.starts_with(&below))
            .map(|(path, entry)| (path.to_string(), entry.clone()))
            .collect()
    }

    /// Every file with its text, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().filter_map(|(path, entry)| match entry {
            Entry::File(text) => Some((path.as_ref(), text.as_ref())),
            Entry::Directory => None,
        })
    }
}

/// The directory above a path.
#[must_use]
pub fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(at) => &path[..at],
    }
}

/// The last name of a path.
#[must_use]
pub fn base(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// A path as typed, seen from `cwd`, without `.` and `..`.
#[must_use]
pub fn resolve(cwd: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{cwd}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_the_working_directory() {
        assert_eq!(resolve("/home/user", "../x/./y"), "/home/x/y");
        assert_eq!(resolve("/home/user", "/a//b/"), "/a/b");
        assert_eq!(resolve("/", "../.."), "/");
    }

    #[test]
    fn a_file_needs_a_directory_above_it() {
        let mut files = Files::with_home("/home/user");
        assert_eq!(files.write("/home/user/a/b", "x"), Err(FileError::NotFound));
        assert_eq!(files.write("/home/user/a", "x"), Ok(()));
        assert_eq!(files.write("/home/user/a/b", "x"), Err(FileError::NotDirectory));
        assert_eq!(files.list("/home/user"), ["a"]);
    }
}
