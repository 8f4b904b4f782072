//! What does the learner's machine remember between two lines?
//!
//! Files, variables, aliases, functions, where we are and which clusters we know. Cloning it is cheap, so that a session can
//! keep one per line. It knows nothing about what a cluster contains.

use std::rc::Rc;

use brush_parser::ast;
use imbl::OrdMap;

use crate::{
    array::Array,
    builtin::option::Options,
    files::Files,
    kubectl::{CLIENT, kubeconfig::Kubeconfig},
    lab::LabCall,
};

/// The home directory of the one user.
pub const HOME: &str = "/home/user";

/// A shell variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    /// Its text; of an array that of element 0.
    pub value: Rc<str>,
    /// Whether programs see it in their environment.
    pub exported: bool,
    /// Its elements, if it is an array.
    pub array: Option<Array>,
    /// What `declare` made of it.
    pub attributes: Attributes,
}

/// `declare -r`, `-i`, `-u`, `-l`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// It is never written again.
    pub readonly: bool,
    /// What is written to it is reckoned.
    pub integer: bool,
    /// Its letters become large.
    pub upper: bool,
    /// Its letters become small.
    pub lower: bool,
}

/// The learner's machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What lies on its disk.
    pub files: Files,
    /// Shell variables and environment.
    pub variables: OrdMap<String, Variable>,
    /// `alias k=kubectl`.
    pub aliases: OrdMap<String, Rc<str>>,
    /// `f() { …; }`.
    pub functions: OrdMap<String, Rc<ast::FunctionBody>>,
    /// What `trap` set: the line to run, by the name of the signal.
    pub traps: OrdMap<String, Rc<str>>,
    /// The working directory, absolute.
    pub cwd: String,
    /// The directory before the last `cd`.
    pub before: Option<String>,
    /// What `set` changed.
    pub options: Options,
    /// Exit status of the last command, `$?`.
    pub status: i32,
    /// Whether the last line ended the shell: a script goes no further.
    pub exited: bool,
    /// `$0`: `bash`, or the script that runs.
    pub name: Rc<str>,
    /// `$1 $2 …` of the running function.
    pub positional: imbl::Vector<Rc<str>>,
    /// `~/.kube/config`.
    pub kubeconfig: Kubeconfig,
    /// Which kubectl is installed, such as `v1.32.5`.
    pub kubectl: Rc<str>,
    /// What the session has to do for `lab answer`, `lab select`, `lab undo`: taken by the session after every line.
    pub journal: Vec<LabCall>,
    /// Lines typed so far, for `history`.
    pub history: imbl::Vector<Rc<str>>,
}

/// What a subshell has of its own: files and the world it shares.
#[derive(Clone)]
pub(crate) struct Own {
    variables: OrdMap<String, Variable>,
    aliases: OrdMap<String, Rc<str>>,
    functions: OrdMap<String, Rc<ast::FunctionBody>>,
    traps: OrdMap<String, Rc<str>>,
    cwd: String,
    before: Option<String>,
    options: Options,
    positional: imbl::Vector<Rc<str>>,
}

impl Own {
    /// As it is now.
    pub(crate) fn of(machine: &Machine) -> Self {
        Self {
            variables: machine.variables.clone(),
            aliases: machine.aliases.clone(),
            functions: machine.functions.clone(),
            traps: machine.traps.clone(),
            cwd: machine.cwd.clone(),
            before: machine.before.clone(),
            options: machine.options,
            positional: machine.positional.clone(),
        }
    }

    /// Changes places with what the machine has.
    pub(crate) fn swap(&mut self, machine: &mut Machine) {
        use std::mem::swap;
        swap(&mut self.variables, &mut machine.variables);
        swap(&mut self.aliases, &mut machine.aliases);
        swap(&mut self.functions, &mut machine.functions);
        swap(&mut self.traps, &mut machine.traps);
        swap(&mut self.cwd, &mut machine.cwd);
        swap(&mut self.before, &mut machine.before);
        swap(&mut self.options, &mut machine.options);
        swap(&mut self.positional, &mut machine.positional);
    }
}

impl Default for Machine {
    fn default() -> Self {
        let mut variables = OrdMap::new();
        for (name, value) in [
            ("HOME", HOME),
            ("USER", "user"),
            ("PWD", HOME),
            ("SHELL", "/bin/bash"),
            ("LANG", "C.UTF-8"),
            ("TZ", "UTC"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ] {
            variables.insert(
                name.to_owned(),
                Variable { value: value.into(), exported: true, ..Variable::default() },
            );
        }
        for (name, value) in [
            ("BASH_VERSION", "5.2.15(1)-release"),
            ("UID", "1000"),
            ("EUID", "1000"),
            ("HOSTNAME", "podpath"),
        ] {
            variables.insert(name.to_owned(), Variable { value: value.into(), ..Variable::default() });
        }
        Self {
            files: Files::with_home(HOME),
            variables,
            aliases: OrdMap::new(),
            functions: OrdMap::new(),
            traps: OrdMap::new(),
            cwd: HOME.to_owned(),
            before: None,
            options: Options::default(),
            status: 0,
            exited: false,
            name: "bash".into(),
            positional: imbl::Vector::new(),
            kubeconfig: Kubeconfig::default(),
            kubectl: CLIENT.into(),
            journal: Vec::new(),
            history: imbl::Vector::new(),
        }
    }
}

impl Machine {
    /// A variable's text.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|v| v.value.as_ref())
    }

    /// Sets a variable and keeps what it is: exported, and what `declare` made of it. One that is read-only stays.
    pub fn set(&mut self, name: &str, value: &str) {
        let mut variable = self.variables.get(name).cloned().unwrap_or_default();
        let attributes = variable.attributes;
        if attributes.readonly {
            return;
        }
        let value = match attributes {
            Attributes { integer: true, .. } => crate::arithmetic::evaluate(value, self)
                .map_or_else(|_| "0".to_owned(), |number| number.to_string()),
            Attributes { upper: true, .. } => value.to_uppercase(),
            Attributes { lower: true, .. } => value.to_lowercase(),
            Attributes { .. } => value.to_owned(),
        };
        let value = value.as_str();
        variable.value = value.into();
        if let Some(array) = &mut variable.array {
            array.put("0", value);
        }
        self.variables.insert(name.to_owned(), variable);
    }

    /// Makes a variable an array.
    pub fn set_array(&mut self, name: &str, array: Array) {
        let before = self.variables.get(name).cloned().unwrap_or_default();
        let value = array.get("0").unwrap_or_default().into();
        self.variables.insert(name.to_owned(), Variable { value, array: Some(array), ..before });
    }

    /// A variable as an array; a plain one is its element 0.
    #[must_use]
    pub fn array(&self, name: &str) -> Option<Array> {
        let variable = self.variables.get(name)?;
        Some(variable.array.clone().unwrap_or_else(|| {
            let mut array = Array::default();
            array.put("0", &variable.value);
            array
        }))
    }

    /// Sets a variable that programs see.
    pub fn export(&mut self, name: &str, value: &str) {
        self.set(name, value);
        if let Some(variable) = self.variables.get_mut(name) {
            variable.exported = true;
        }
    }

    /// A path as typed, made absolute.
    #[must_use]
    pub fn path(&self, typed: &str) -> String {
        crate::files::resolve(&self.cwd, typed)
    }
}
