//! Where does an awk program write: standard output, files, commands?

use super::{
    machine::{Awk, Done, Stop},
    tree::Onto,
};
use crate::{
    eval::Flow,
    output::{Output, Stdin, Stream},
};

impl<'a> Awk<'a, '_, '_> {
    /// Writes a text where it belongs.
    pub(super) fn put(&mut self, text: &str, onto: Option<&'a Onto>) -> Done<()> {
        self.printed += text.len();
        self.round_of_output()?;
        let (name, appends) = match onto {
            None => {
                self.call.out.out(text);
                return Ok(());
            }
            Some(Onto::Command(line)) => {
                let line = self.text(line)?;
                match self.pipes.iter_mut().find(|(it, _)| **it == *line) {
                    Some((_, so_far)) => so_far.push_str(text),
                    None => self.pipes.push((line.to_string(), text.to_owned())),
                }
                return Ok(());
            }
            Some(Onto::File(file)) => (self.text(file)?, false),
            Some(Onto::Append(file)) => (self.text(file)?, true),
        };
        match &*name {
            "/dev/stdout" | "-" => self.call.out.out(text),
            "/dev/stderr" => self.call.out.write(Stream::Err, text),
            "/dev/null" => {}
            "" => return self.fatal("expression for `>' redirection has null string value"),
            _ => {
                let is_new = self.written.insert(name.to_string()) && !appends;
                let machine = &mut *self.call.shell.machine;
                let path = machine.path(&name);
                let wrote =
                    if is_new { machine.files.write(&path, text) } else { machine.files.append(&path, text) };
                if let Err(error) = wrote {
                    return self.fatal(&format!("cannot redirect to `{name}': {error}"));
                }
            }
        }
        Ok(())
    }

    fn round_of_output(&mut self) -> Done<()> {
        if self.printed > super::machine::MOST_BYTES {
            return Err(Stop::Flow(Flow::Stopped("4 MB of awk's output".to_owned())));
        }
        Ok(())
    }

    /// Runs a line in a shell of its own; what it printed, if that is wanted, and its status.
    pub(super) fn command(&mut self, line: &str, stdin: &mut Stdin, wanted: bool) -> Done<(String, i32)> {
        self.round()?;
        let mut inner = Output::default();
        let shell = &mut *self.call.shell;
        let status =
            shell.subshell(&mut inner, |shell, out| shell.line(line, stdin, out)).map_err(Stop::Flow)?;
        let mut text = String::new();
        self.call.out.hints.append(&mut inner.hints);
        for (stream, chunk) in inner.chunks {
            match stream {
                Stream::Out if wanted => text.push_str(&chunk),
                _ => {
                    self.printed += chunk.len();
                    self.call.out.write(stream, &chunk);
                }
            }
        }
        Ok((text, status))
    }

    /// `close`: a command that was fed runs now; what was read or written may begin anew.
    pub(super) fn close(&mut self, name: &str) -> Done<f64> {
        let mut status = -1.0;
        if let Some(at) = self.pipes.iter().position(|(it, _)| it == name) {
            let (line, text) = self.pipes.remove(at);
            status = f64::from(self.command(&line, &mut Stdin::of(&text), false)?.1);
        }
        if self.sources.remove(name).is_some() | self.written.remove(name) {
            status = 0.0;
        }
        Ok(status)
    }

    /// What is still open at the end.
    pub(super) fn close_all(&mut self) -> Done<()> {
        for (line, text) in std::mem::take(&mut self.pipes) {
            self.command(&line, &mut Stdin::of(&text), false)?;
        }
        Ok(())
    }
}
