//! THE REGISTRY of tools: which commands are on this machine?
//!
//! A new tool is a file and a line here. Each gets its arguments already expanded, and answers with what the real one prints and
//! its exit status.

use crate::{
    aws, builtin, eksctl,
    eval::{Flow, Shell},
    kind, kubectl, lab,
    machine::Machine,
    output::{Hint, Output, Stdin},
    text,
};

/// One call of a tool.
pub struct Call<'c, 's> {
    /// Its name, as registered.
    pub name: &'static str,
    /// What follows the name.
    pub args: Vec<String>,
    /// What it may read.
    pub stdin: &'c mut Stdin,
    /// What it writes.
    pub out: &'c mut Output,
    /// The machine and the world.
    pub shell: &'c mut Shell<'s>,
}

/// A command on this machine.
#[derive(Clone, Copy)]
pub struct Tool {
    /// What one types.
    pub name: &'static str,
    /// What it does.
    pub run: fn(&mut Call<'_, '_>) -> Result<i32, Flow>,
}

const fn tool(name: &'static str, run: fn(&mut Call<'_, '_>) -> Result<i32, Flow>) -> Tool {
    Tool { name, run }
}

/// Every tool, sorted by name.
pub const TOOLS: &[Tool] = &[
    tool(".", builtin::source),
    tool(":", builtin::yes),
    tool("[", builtin::test::bracket),
    tool("alias", builtin::variable::alias),
    tool("awk", text::awk::run),
    tool("aws", aws::run),
    tool("base64", text::base64::run),
    tool("basename", text::small::basename),
    tool("bash", builtin::bash),
    tool("break", builtin::leave),
    tool("cat", text::cat::run),
    tool("cd", builtin::cd),
    tool("clear", builtin::clear),
    tool("column", text::paste::column),
    tool("comm", text::paste::comm),
    tool("command", builtin::command),
    tool("continue", builtin::go_on),
    tool("cp", text::files::cp),
    tool("cut", text::cut::run),
    tool("date", text::date::run),
    tool("declare", builtin::variable::declare),
    tool("diff", text::diff::run),
    tool("dirname", text::small::dirname),
    tool("echo", text::echo::run),
    tool("eksctl", eksctl::run),
    tool("env", builtin::variable::env),
    tool("eval", builtin::eval),
    tool("exit", builtin::exit),
    tool("expand", text::columns::expand),
    tool("export", builtin::variable::export),
    tool("expr", text::expr::run),
    tool("false", builtin::no),
    tool("find", text::find::run),
    tool("fold", text::small::fold),
    tool("getopts", builtin::option::getopts),
    tool("grep", text::grep::run),
    tool("hash", builtin::hash),
    tool("head", text::head::head),
    tool("history", builtin::history),
    tool("hostname", text::small::hostname),
    tool("join", text::join::run),
    tool("jq", text::jq::run),
    tool("kind", kind::run),
    tool("kubectl", kubectl::run),
    tool("lab", lab::run),
    tool("let", builtin::let_it),
    tool("local", builtin::variable::declare),
    tool("ls", text::files::ls),
    tool("mapfile", builtin::variable::mapfile),
    tool("mkdir", text::files::mkdir),
    tool("mv", text::files::mv),
    tool("nl", text::small::nl),
    tool("paste", text::paste::paste),
    tool("printenv", builtin::variable::printenv),
    tool("printf", text::printf::run),
    tool("pwd", builtin::pwd),
    tool("read", builtin::variable::read),
    tool("readarray", builtin::variable::mapfile),
    tool("readonly", builtin::variable::declare),
    tool("return", builtin::back),
    tool("rev", text::small::rev),
    tool("rm", text::files::rm),
    tool("rmdir", text::files::rmdir),
    tool("sed", text::sed::run),
    tool("seq", text::seq::run),
    tool("set", builtin::option::set),
    tool("sh", builtin::bash),
    tool("sha256sum", text::small::sha256sum),
    tool("shift", builtin::shift),
    tool("shopt", builtin::option::shopt),
    tool("sleep", text::sleep::run),
    tool("sort", text::sort::run),
    tool("source", builtin::source),
    tool("tac", text::small::tac),
    tool("tail", text::head::tail),
    tool("tee", text::tee::run),
    tool("test", builtin::test::run),
    tool("timeout", builtin::timeout),
    tool("touch", text::files::touch),
    tool("tr", text::tr::run),
    tool("trap", builtin::trap::trap),
    tool("tree", text::small::tree),
    tool("true", builtin::yes),
    tool("type", builtin::which),
    tool("typeset", builtin::variable::declare),
    tool("unalias", builtin::variable::unalias),
    tool("unexpand", text::columns::unexpand),
    tool("uniq", text::uniq::run),
    tool("unset", builtin::variable::unset),
    tool("wait", builtin::yes),
    tool("watch", builtin::watch::watch),
    tool("wc", text::wc::run),
    tool("which", builtin::which),
    tool("whoami", text::small::whoami),
    tool("xargs", text::xargs::run),
    tool("yes", text::small::yes),
];

/// The tool with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Tool> {
    let name = match name.rsplit_once('/') {
        Some(("/bin" | "/usr/bin" | "/usr/local/bin", base)) => base,
        Some(_) | None => name,
    };
    TOOLS.iter().find(|tool| tool.name == name)
}

/// Whether a name is a program on the disk, which tools like `xargs` and `env` can run; bash's own words are none.
#[must_use]
pub fn is_program(name: &str) -> bool {
    let both = ["[", "echo", "false", "printf", "pwd", "test", "true"];
    find(name).is_some_and(|tool| both.contains(&tool.name) || !builtin::is_own(tool.name))
}

/// bash's words for a name that is no tool, and the nearest ones for the page.
pub fn unknown(name: &str, machine: &Machine, out: &mut Output) -> i32 {
    if name.contains('/') {
        let path = machine.path(name);
        return if machine.files.is_directory(&path) {
            out.err(&format!("bash: {name}: Is a directory"));
            126
        } else if machine.files.get(&path).is_some() {
            out.err(&format!("bash: {name}: Permission denied"));
            126
        } else {
            out.err(&format!("bash: {name}: No such file or directory"));
            127
        };
    }
    out.err(&format!("bash: {name}: command not found"));
    let known = TOOLS.iter().map(|t| t.name).chain(machine.aliases.keys().map(String::as_str));
    out.hint(Hint::UnknownCommand { name: name.to_owned(), nearest: nearest(name, known) });
    127
}

/// Up to three words nearest to what was typed, by edit distance.
#[must_use]
pub fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let most = (typed.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = known
        .map(|name| (strsim::damerau_levenshtein(typed, name), name))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_listed_in_order_and_once() {
        assert!(TOOLS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn a_mistyped_tool_has_a_nearest_one() {
        assert_eq!(nearest("kubctl", TOOLS.iter().map(|t| t.name)), ["kubectl"]);
    }
}
