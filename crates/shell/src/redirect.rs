//! Where do a command's streams go?
//!
//! Redirections are read left to right, so `2>&1 >f` and `>f 2>&1` differ as in bash. A command writes into a buffer of its
//! own; its chunks are then handed, in order, to where each stream points.

use brush_parser::ast;

use crate::{
    eval::{Flow, Shell},
    files::FileError,
    output::{Output, Stdin, Stream},
};

/// Where a file descriptor points.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Stream(Stream),
    File(String),
    Nowhere,
}

impl Shell<'_> {
    /// Runs `body` with redirections in place.
    pub(crate) fn redirected(
        &mut self,
        redirects: &[&ast::IoRedirect],
        stdin: &mut Stdin,
        out: &mut Output,
        body: impl FnOnce(&mut Self, &mut Stdin, &mut Output) -> Result<i32, Flow>,
    ) -> Result<i32, Flow> {
        if redirects.is_empty() {
            return body(self, stdin, out);
        }
        let mut targets = [Target::Stream(Stream::Out), Target::Stream(Stream::Err)];
        let mut input: Option<Stdin> = None;
        for redirect in redirects {
            if let Err(message) = self.point(redirect, &mut targets, &mut input, out)? {
                out.err(&format!("bash: {message}"));
                return Ok(1);
            }
        }
        let mut inner = Output::default();
        let status = body(self, input.as_mut().unwrap_or(stdin), &mut inner);
        out.hints.append(&mut inner.hints);
        for (stream, text) in inner.chunks {
            let target = match stream {
                Stream::Out => &targets[0],
                Stream::Err => &targets[1],
            };
            match target {
                Target::Stream(stream) => out.write(*stream, &text),
                Target::File(path) => {
                    if let Err(error) = self.machine.files.append(path, &text) {
                        out.err(&format!("bash: write error: {error}"));
                    }
                }
                Target::Nowhere => {}
            }
        }
        status
    }

    fn point(
        &mut self,
        redirect: &ast::IoRedirect,
        targets: &mut [Target; 2],
        input: &mut Option<Stdin>,
        out: &mut Output,
    ) -> Result<Result<(), String>, Flow> {
        match redirect {
            ast::IoRedirect::HereDocument(_, document) => {
                let text = &document.doc.value;
                let text = if document.requires_expansion { self.here(text, out)? } else { text.clone() };
                *input = Some(Stdin::of(&text));
                Ok(Ok(()))
            }
            ast::IoRedirect::HereString(_, word) => {
                let text = self.text(&word.value, out)?;
                *input = Some(Stdin::of(&format!("{text}\n")));
                Ok(Ok(()))
            }
            ast::IoRedirect::OutputAndError(word, append) => {
                let name = self.text(&word.value, out)?;
                Ok(self.open(&name, *append).map(|target| {
                    targets[0] = target.clone();
                    targets[1] = target;
                }))
            }
            ast::IoRedirect::File(fd, kind, target) => {
                let name = match target {
                    ast::IoFileRedirectTarget::Filename(word)
                    | ast::IoFileRedirectTarget::Duplicate(word) => self.text(&word.value, out)?,
                    ast::IoFileRedirectTarget::Fd(fd) => fd.to_string(),
                    ast::IoFileRedirectTarget::ProcessSubstitution(kind, list) => {
                        match self.process(kind, list, out)? {
                            Some(path) => path,
                            None => return Ok(Err("no such stream".to_owned())),
                        }
                    }
                };
                let slot = match fd {
                    Some(2) => 1,
                    Some(_) | None => 0,
                };
                match kind {
                    ast::IoFileRedirectKind::Read | ast::IoFileRedirectKind::ReadAndWrite => {
                        let path = self.machine.path(&name);
                        if name == "/dev/null" {
                            *input = Some(Stdin::of(""));
                            return Ok(Ok(()));
                        }
                        Ok(match self.machine.files.read(&path) {
                            Ok(text) => {
                                *input = Some(Stdin::of(&text));
                                Ok(())
                            }
                            Err(error) => Err(format!("{name}: {error}")),
                        })
                    }
                    ast::IoFileRedirectKind::Write | ast::IoFileRedirectKind::Clobber => {
                        Ok(self.open(&name, false).map(|target| targets[slot] = target))
                    }
                    ast::IoFileRedirectKind::Append => {
                        Ok(self.open(&name, true).map(|target| targets[slot] = target))
                    }
                    ast::IoFileRedirectKind::DuplicateOutput => match name.as_str() {
                        "1" => {
                            targets[slot] = targets[0].clone();
                            Ok(Ok(()))
                        }
                        "2" => {
                            targets[slot] = targets[1].clone();
                            Ok(Ok(()))
                        }
                        "-" => {
                            targets[slot] = Target::Nowhere;
                            Ok(Ok(()))
                        }
                        other if other.chars().all(|c| c.is_ascii_digit()) => {
                            Ok(Err(format!("{other}: Bad file descriptor")))
                        }
                        file => Ok(self.open(file, false).map(|target| {
                            targets[0] = target.clone();
                            targets[1] = target;
                        })),
                    },
                    ast::IoFileRedirectKind::DuplicateInput => Ok(Ok(())),
                }
            }
        }
    }

    fn open(&mut self, name: &str, append: bool) -> Result<Target, String> {
        match name {
            "/dev/null" => return Ok(Target::Nowhere),
            "/dev/stdout" => return Ok(Target::Stream(Stream::Out)),
            "/dev/stderr" => return Ok(Target::Stream(Stream::Err)),
            "" => return Err(format!(": {}", FileError::NotFound)),
            _ => {}
        }
        let path = self.machine.path(name);
        let opened =
            if append { self.machine.files.append(&path, "") } else { self.machine.files.write(&path, "") };
        match opened {
            Ok(()) => Ok(Target::File(path)),
            Err(error) => Err(format!("{name}: {error}")),
        }
    }
}
