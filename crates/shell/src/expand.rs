//! What does this word become?
//!
//! Braces, tilde, variables, `$( )`, arithmetic, then splitting on `$IFS`, then file names, then quotes go: bash's order.
//! A word is built from characters that know whether they were quoted; unquoted results of `$` are split.
//! Source: bash 5.2 manual, 3.5 Shell Expansions.

use brush_parser::{
    ParserOptions,
    word::{
        self, Parameter, ParameterExpr, ParameterTestType, ParameterTransformOp, SpecialParameter,
        SubstringMatchKind, TildeExpr, WordPiece, WordPieceWithSource,
    },
};

use crate::{
    brace::{self, braces},
    escape::ansi_c,
    eval::{Flow, Shell},
    glob,
    machine::HOME,
    output::{Output, Stdin},
};

/// Most bytes one word may grow to.
const LONGEST: usize = 16 << 20;

/// A word on its way to becoming fields. The text is a pattern: what was quoted carries a backslash.
#[derive(Default)]
struct Building {
    fields: Vec<String>,
    current: Option<String>,
}

impl Building {
    fn quoted(&mut self, text: &str) {
        let current = self.current.get_or_insert_default();
        for c in text.chars() {
            if "*?[]\\".contains(c) {
                current.push('\\');
            }
            current.push(c);
        }
    }

    fn pattern(&mut self, text: &str) {
        if !text.is_empty() {
            self.current.get_or_insert_default().push_str(text);
        }
    }

    fn cut(&mut self) {
        if let Some(field) = self.current.take() {
            self.fields.push(field);
        }
    }

    fn split(&mut self, text: &str, ifs: &str) {
        for c in text.chars() {
            if ifs.contains(c) {
                if c.is_ascii_whitespace() {
                    self.cut();
                } else {
                    self.current.get_or_insert_default();
                    self.cut();
                }
            } else {
                let current = self.current.get_or_insert_default();
                if c == '\\' {
                    current.push('\\');
                }
                current.push(c);
            }
        }
    }
}

impl Shell<'_> {
    /// The fields a list of words becomes.
    pub(crate) fn fields<'w>(
        &mut self,
        words: impl Iterator<Item = &'w str>,
        out: &mut Output,
    ) -> Result<Vec<String>, Flow> {
        let mut fields = Vec::new();
        for text in words {
            let expanded = braces(text);
            if expanded.len() > brace::MOST {
                return Err(Flow::Stopped(format!("{} words from one brace expression", brace::MOST)));
            }
            for text in expanded {
                let mut building = Building::default();
                self.pieces(&parse(&text), &mut building, true, out)?;
                building.cut();
                for pattern in building.fields {
                    let found = if glob::is_pattern(&pattern) {
                        glob::expand(&pattern, &self.machine.cwd, &self.machine.files)
                    } else {
                        Vec::new()
                    };
                    let options = self.machine.options;
                    if found.is_empty()
                        && glob::is_pattern(&pattern)
                        && (options.nullglob || options.failglob)
                    {
                        if options.failglob {
                            out.err(&format!("bash: no match: {}", glob::unescape(&pattern)));
                            return Err(Flow::Abandoned(1));
                        }
                    } else if found.is_empty() {
                        fields.push(glob::unescape(&pattern));
                    } else {
                        fields.extend(found);
                    }
                }
            }
        }
        Ok(fields)
    }

    /// One word as one text: no splitting, no file names (assignments, here-strings, redirection targets).
    pub(crate) fn text(&mut self, text: &str, out: &mut Output) -> Result<String, Flow> {
        Ok(glob::unescape(&self.pattern(text, out)?))
    }

    /// One word as a pattern: quoted characters stand for themselves (`case`, `[[ a == b* ]]`).
    pub(crate) fn pattern(&mut self, text: &str, out: &mut Output) -> Result<String, Flow> {
        let mut building = Building::default();
        self.pieces(&parse(text), &mut building, false, out)?;
        Ok(building.current.unwrap_or_default())
    }

    /// The body of a here-document whose tag was not quoted.
    pub(crate) fn here(&mut self, text: &str, out: &mut Output) -> Result<String, Flow> {
        let Ok(pieces) = word::parse_heredoc(text, &ParserOptions::default()) else {
            return Ok(text.to_owned());
        };
        let mut building = Building::default();
        for piece in &pieces {
            self.quoted_piece(&piece.piece, &mut building, out)?;
        }
        Ok(glob::unescape(&building.current.unwrap_or_default()))
    }

    fn pieces(
        &mut self,
        pieces: &[WordPieceWithSource],
        building: &mut Building,
        split: bool,
        out: &mut Output,
    ) -> Result<(), Flow> {
        for piece in pieces {
            match &piece.piece {
                WordPiece::Text(text) => building.pattern(text),
                WordPiece::SingleQuotedText(text) => building.quoted(text),
                WordPiece::AnsiCQuotedText(text) => building.quoted(&ansi_c(text)),
                WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                    if let [only] = inner.as_slice()
                        && let WordPiece::ParameterExpansion(expr) = &only.piece
                        && let Some(all) = self.separate(expr)
                    {
                        for (i, text) in all.iter().enumerate() {
                            if i > 0 {
                                building.cut();
                            }
                            building.quoted(text);
                        }
                        continue;
                    }
                    building.quoted("");
                    for piece in inner {
                        self.quoted_piece(&piece.piece, building, out)?;
                    }
                }
                WordPiece::EscapeSequence(text) => building.quoted(text.strip_prefix('\\').unwrap_or(text)),
                WordPiece::TildeExpansion(tilde) => {
                    let home = self.tilde(tilde);
                    building.quoted(&home);
                }
                WordPiece::ParameterExpansion(_)
                | WordPiece::CommandSubstitution(_)
                | WordPiece::BackquotedCommandSubstitution(_)
                | WordPiece::ArithmeticExpression(_) => {
                    let text = self.substitute(&piece.piece, out)?;
                    if split {
                        let ifs = self.machine.variable("IFS").unwrap_or(" \t\n").to_owned();
                        building.split(&text, &ifs);
                    } else {
                        building.quoted(&text);
                    }
                }
            }
            if building.current.as_ref().is_some_and(|c| c.len() > LONGEST) {
                return Err(Flow::Stopped(format!("a word of {} MB", LONGEST >> 20)));
            }
        }
        Ok(())
    }

    fn quoted_piece(
        &mut self,
        piece: &WordPiece,
        building: &mut Building,
        out: &mut Output,
    ) -> Result<(), Flow> {
        match piece {
            WordPiece::Text(text) | WordPiece::SingleQuotedText(text) | WordPiece::AnsiCQuotedText(text) => {
                building.quoted(text);
            }
            WordPiece::EscapeSequence(text) => {
                let escaped = text.strip_prefix('\\').unwrap_or(text);
                match escaped {
                    "\n" => {}
                    "$" | "`" | "\"" | "\\" => building.quoted(escaped),
                    _ => building.quoted(text),
                }
            }
            WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                for piece in inner {
                    self.quoted_piece(&piece.piece, building, out)?;
                }
            }
            WordPiece::TildeExpansion(_) => building.quoted("~"),
            WordPiece::ParameterExpansion(_)
            | WordPiece::CommandSubstitution(_)
            | WordPiece::BackquotedCommandSubstitution(_)
            | WordPiece::ArithmeticExpression(_) => {
                let text = self.substitute(piece, out)?;
                building.quoted(&text);
            }
        }
        Ok(())
    }

    fn tilde(&self, tilde: &TildeExpr) -> String {
        match tilde {
            TildeExpr::Home => self.machine.variable("HOME").unwrap_or(HOME).to_owned(),
            TildeExpr::UserHome(user) if user == "user" => HOME.to_owned(),
            TildeExpr::UserHome(user) => format!("~{user}"),
            TildeExpr::WorkingDir => self.machine.cwd.clone(),
            TildeExpr::OldWorkingDir => self.machine.before.clone().unwrap_or_else(|| "~-".to_owned()),
            TildeExpr::NthDirFromTopOfDirStack { n, plus_used } => {
                format!("~{}{n}", if *plus_used { "+" } else { "" })
            }
            TildeExpr::NthDirFromBottomOfDirStack { n } => format!("~-{n}"),
        }
    }

    fn substitute(&mut self, piece: &WordPiece, out: &mut Output) -> Result<String, Flow> {
        match piece {
            WordPiece::ParameterExpansion(expr) => self.parameter(expr, out),
            WordPiece::CommandSubstitution(line) => self.command(line, out),
            WordPiece::BackquotedCommandSubstitution(line) => {
                let line = line.replace("\\`", "`").replace("\\$", "$").replace("\\\\", "\\");
                self.command(&line, out)
            }
            WordPiece::ArithmeticExpression(expr) => {
                let text = self.here(&expr.value, out)?;
                match crate::arithmetic::evaluate(&text, self.machine) {
                    Ok(number) => Ok(number.to_string()),
                    Err(message) => {
                        out.err(&format!("bash: {message}"));
                        Err(Flow::Abandoned(1))
                    }
                }
            }
            WordPiece::Text(text)
            | WordPiece::SingleQuotedText(text)
            | WordPiece::AnsiCQuotedText(text)
            | WordPiece::EscapeSequence(text) => Ok(text.clone()),
            WordPiece::DoubleQuotedSequence(_)
            | WordPiece::GettextDoubleQuotedSequence(_)
            | WordPiece::TildeExpansion(_) => Ok(String::new()),
        }
    }

    fn command(&mut self, line: &str, out: &mut Output) -> Result<String, Flow> {
        // `$(< file)` is the file's text.
        let line = match line.trim().strip_prefix('<').map(str::trim) {
            Some(file) if !file.is_empty() && !file.contains(['<', '(', ' ', ';', '|', '&']) => {
                format!("cat < {file}")
            }
            _ => line.to_owned(),
        };
        let line = line.as_str();
        let mut inner = Output::default();
        let status = self.subshell(&mut inner, |shell, out| {
            // UPSTREAM: `set -e` does not reach into `$( )`.
            shell.machine.options.errexit = false;
            shell.line(line, &mut Stdin::terminal(), out)
        })?;
        self.machine.status = status;
        self.substituted = Some(status);
        let mut text = String::new();
        out.hints.append(&mut inner.hints);
        for (stream, chunk) in inner.chunks {
            match stream {
                crate::output::Stream::Out => text.push_str(&chunk),
                crate::output::Stream::Err => out.write(stream, &chunk),
            }
        }
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }

    fn value(&mut self, parameter: &Parameter, out: &mut Output) -> Result<Option<String>, Flow> {
        Ok(match parameter {
            Parameter::Named(name) => match self.machine.variable(name) {
                Some(value) => Some(value.to_owned()),
                None => self.dynamic(name),
            },
            Parameter::NamedWithIndex { name, index } => {
                let key = self.key(name, index, out)?;
                self.machine.array(name).and_then(|array| array.get(&key).map(str::to_owned))
            }
            Parameter::NamedWithAllIndices { .. } => {
                let mark = self.joint(parameter);
                self.all_of(parameter, true).filter(|all| !all.is_empty()).map(|all| all.join(&mark))
            }
            Parameter::Positional(0) => Some(self.machine.name.to_string()),
            Parameter::Positional(n) => {
                let index = usize::try_from(*n).unwrap_or(usize::MAX) - 1;
                self.machine.positional.get(index).map(ToString::to_string)
            }
            Parameter::Special(special) => match special {
                SpecialParameter::LastExitStatus => Some(self.machine.status.to_string()),
                SpecialParameter::AllPositionalParameters { .. } => {
                    let mark = self.joint(parameter);
                    let all: Vec<&str> = self.machine.positional.iter().map(AsRef::as_ref).collect();
                    (!all.is_empty()).then(|| all.join(&mark))
                }
                SpecialParameter::PositionalParameterCount => Some(self.machine.positional.len().to_string()),
                SpecialParameter::ShellName => Some(self.machine.name.to_string()),
                SpecialParameter::ProcessId => Some("4242".to_owned()),
                SpecialParameter::CurrentOptionFlags => Some("himBH".to_owned()),
                SpecialParameter::LastBackgroundProcessId => None,
            },
        })
    }

    /// What stands between the elements of `${a[*]}` and `$*`: the first of `$IFS`; between those of `${a[@]}` a blank.
    fn joint(&self, parameter: &Parameter) -> String {
        let by_ifs = matches!(
            parameter,
            Parameter::NamedWithAllIndices { concatenate: true, .. }
                | Parameter::Special(SpecialParameter::AllPositionalParameters { concatenate: true })
        );
        match self.machine.variable("IFS").filter(|_| by_ifs) {
            Some(ifs) => ifs.chars().next().map(String::from).unwrap_or_default(),
            None => " ".to_owned(),
        }
    }

    /// Variables that bash reckons when they are read.
    /// MODEL: `$RANDOM` draws the same numbers in every session, and `$LINENO` is always 1.
    fn dynamic(&mut self, name: &str) -> Option<String> {
        match name {
            "LINENO" => Some("1".to_owned()),
            "RANDOM" => {
                let now = self.world.now().0;
                self.drawn += 1;
                Some((cluster::draw::draw(now, "bash", "RANDOM", self.drawn) % 32_768).to_string())
            }
            "SECONDS" => Some((self.world.now().0 / 1000).to_string()),
            _ => None,
        }
    }

    /// A parameter's text; under `set -u` it must have one.
    fn known(&mut self, parameter: &Parameter, out: &mut Output) -> Result<String, Flow> {
        match self.value(parameter, out)? {
            Some(value) => Ok(value),
            // `$@` and `$*` may be empty.
            None if self.machine.options.nounset && !matches!(parameter, Parameter::Special(_)) => {
                let name = match parameter {
                    Parameter::Named(name)
                    | Parameter::NamedWithIndex { name, .. }
                    | Parameter::NamedWithAllIndices { name, .. } => name.clone(),
                    Parameter::Positional(n) => format!("${n}"),
                    Parameter::Special(_) => String::new(),
                };
                out.err(&format!("bash: {name}: unbound variable"));
                Err(Flow::Exit(1))
            }
            None => Ok(String::new()),
        }
    }

    fn tested(
        &mut self,
        parameter: &Parameter,
        test: &ParameterTestType,
        out: &mut Output,
    ) -> Result<Option<String>, Flow> {
        let value = self.value(parameter, out)?;
        Ok(match test {
            ParameterTestType::UnsetOrNull => value.filter(|v| !v.is_empty()),
            ParameterTestType::Unset => value,
        })
    }

    fn word(&mut self, text: &Option<String>, out: &mut Output) -> Result<String, Flow> {
        match text {
            Some(text) => self.text(text, out),
            None => Ok(String::new()),
        }
    }

    /// Changes a parameter's text, or that of each element.
    fn changed(
        &mut self,
        parameter: &Parameter,
        out: &mut Output,
        change: impl Fn(&str) -> String,
    ) -> Result<String, Flow> {
        Ok(match self.all_of(parameter, true) {
            Some(all) => all.iter().map(|text| change(text)).collect::<Vec<_>>().join(" "),
            None => change(&self.value(parameter, out)?.unwrap_or_default()),
        })
    }

    fn parameter(&mut self, expr: &ParameterExpr, out: &mut Output) -> Result<String, Flow> {
        Ok(match expr {
            ParameterExpr::Parameter { parameter, indirect } => {
                let value = self.known(parameter, out)?;
                if *indirect { self.machine.variable(&value).unwrap_or_default().to_owned() } else { value }
            }
            ParameterExpr::UseDefaultValues { parameter, test_type, default_value, .. } => {
                match self.tested(parameter, test_type, out)? {
                    Some(value) => value,
                    None => self.word(default_value, out)?,
                }
            }
            ParameterExpr::AssignDefaultValues { parameter, test_type, default_value, .. } => {
                match self.tested(parameter, test_type, out)? {
                    Some(value) => value,
                    None => {
                        let value = self.word(default_value, out)?;
                        if let Parameter::Named(name) = parameter {
                            self.machine.set(name, &value);
                        }
                        value
                    }
                }
            }
            ParameterExpr::IndicateErrorIfNullOrUnset { parameter, test_type, error_message, .. } => {
                match self.tested(parameter, test_type, out)? {
                    Some(value) => value,
                    None => {
                        let said = match (error_message.as_deref(), test_type) {
                            (Some(text), _) if !text.is_empty() => self.word(error_message, out)?,
                            (_, ParameterTestType::UnsetOrNull) => "parameter null or not set".to_owned(),
                            (_, ParameterTestType::Unset) => "parameter not set".to_owned(),
                        };
                        let name = parameter.to_string();
                        let name = name.trim_start_matches("${").trim_end_matches('}');
                        out.err(&format!("bash: {name}: {said}"));
                        return Err(Flow::Abandoned(1));
                    }
                }
            }
            ParameterExpr::UseAlternativeValue { parameter, test_type, alternative_value, .. } => {
                match self.tested(parameter, test_type, out)? {
                    Some(_) => self.word(alternative_value, out)?,
                    None => String::new(),
                }
            }
            ParameterExpr::ParameterLength { parameter, .. } => match self.all_of(parameter, true) {
                Some(all) => all.len().to_string(),
                None => self.value(parameter, out)?.unwrap_or_default().chars().count().to_string(),
            },
            ParameterExpr::RemoveSmallestSuffixPattern { parameter, pattern, .. } => {
                self.trim(parameter, pattern, out, Trim { suffix: true, largest: false })?
            }
            ParameterExpr::RemoveLargestSuffixPattern { parameter, pattern, .. } => {
                self.trim(parameter, pattern, out, Trim { suffix: true, largest: true })?
            }
            ParameterExpr::RemoveSmallestPrefixPattern { parameter, pattern, .. } => {
                self.trim(parameter, pattern, out, Trim { suffix: false, largest: false })?
            }
            ParameterExpr::RemoveLargestPrefixPattern { parameter, pattern, .. } => {
                self.trim(parameter, pattern, out, Trim { suffix: false, largest: true })?
            }
            ParameterExpr::Substring { parameter, offset, length, .. } => {
                if let Some(all) = self.separate(expr) {
                    return Ok(all.join(" "));
                }
                let chars: Vec<char> = self.value(parameter, out)?.unwrap_or_default().chars().collect();
                let count = i64::try_from(chars.len()).unwrap_or(i64::MAX);
                let number = |shell: &mut Self, text: &str| crate::arithmetic::evaluate(text, shell.machine);
                let from = number(self, &offset.value).unwrap_or(0);
                let from = if from < 0 { (count + from).max(0) } else { from.min(count) };
                let to = match length {
                    None => count,
                    Some(length) => match number(self, &length.value).unwrap_or(0) {
                        n if n < 0 => (count + n).max(from),
                        n => from.saturating_add(n).min(count),
                    },
                };
                let (from, to) = (usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0));
                chars.get(from..to).map(|c| c.iter().collect()).unwrap_or_default()
            }
            ParameterExpr::UppercaseFirstChar { parameter, pattern, .. } => {
                self.cased(parameter, pattern, out, true, true)?
            }
            ParameterExpr::UppercasePattern { parameter, pattern, .. } => {
                self.cased(parameter, pattern, out, true, false)?
            }
            ParameterExpr::LowercaseFirstChar { parameter, pattern, .. } => {
                self.cased(parameter, pattern, out, false, true)?
            }
            ParameterExpr::LowercasePattern { parameter, pattern, .. } => {
                self.cased(parameter, pattern, out, false, false)?
            }
            ParameterExpr::ReplaceSubstring { parameter, pattern, replacement, match_kind, .. } => {
                let pattern = self.pattern(pattern, out)?;
                let with = self.word(replacement, out)?;
                self.changed(parameter, out, |text| replace(text, &pattern, &with, match_kind))?
            }
            ParameterExpr::Transform { parameter, op, .. } => {
                self.changed(parameter, out, |text| match op {
                    ParameterTransformOp::Quoted => format!("'{}'", text.replace('\'', "'\\''")),
                    ParameterTransformOp::ToUpperCase => text.to_uppercase(),
                    ParameterTransformOp::ToLowerCase => text.to_lowercase(),
                    ParameterTransformOp::CapitalizeInitial => change_first(text, char::to_ascii_uppercase),
                    ParameterTransformOp::ExpandEscapeSequences => ansi_c(text),
                    // MODEL: `${x@A}` and its kind give the value unchanged.
                    ParameterTransformOp::PossiblyQuoteWithArraysExpanded { .. }
                    | ParameterTransformOp::PromptExpand
                    | ParameterTransformOp::ToAssignmentLogic
                    | ParameterTransformOp::ToAttributeFlags => text.to_owned(),
                })?
            }
            ParameterExpr::VariableNames { prefix, .. } => {
                let names: Vec<&str> = self
                    .machine
                    .variables
                    .keys()
                    .filter(|n| n.starts_with(prefix.as_str()))
                    .map(String::as_str)
                    .collect();
                names.join(" ")
            }
            ParameterExpr::MemberKeys { variable_name, .. } => {
                self.machine.array(variable_name).map(|array| array.keys().join(" ")).unwrap_or_default()
            }
        })
    }

    /// `${v^}` and its kind: letters that match the pattern, or any, change; only the first one where `first` says so.
    fn cased(
        &mut self,
        parameter: &Parameter,
        pattern: &Option<String>,
        out: &mut Output,
        upper: bool,
        first: bool,
    ) -> Result<String, Flow> {
        let pattern = match pattern.as_ref().filter(|it| !it.is_empty()) {
            Some(pattern) => self.pattern(pattern, out)?,
            None => "?".to_owned(),
        };
        self.changed(parameter, out, |text| {
            let mut changed = String::new();
            for (i, c) in text.chars().enumerate() {
                let applies = (i == 0 || !first) && glob::matches(&pattern, c.encode_utf8(&mut [0; 4]));
                match (applies, upper) {
                    (true, true) => changed.extend(c.to_uppercase()),
                    (true, false) => changed.extend(c.to_lowercase()),
                    (false, _) => changed.push(c),
                }
            }
            changed
        })
    }

    fn trim(
        &mut self,
        parameter: &Parameter,
        pattern: &Option<String>,
        out: &mut Output,
        trim: Trim,
    ) -> Result<String, Flow> {
        let Some(pattern) = pattern else {
            return Ok(self.value(parameter, out)?.unwrap_or_default());
        };
        let pattern = self.pattern(pattern, out)?;
        self.changed(parameter, out, |text| trimmed(text, &pattern, trim))
    }
}

/// Which end goes, and how much of it.
#[derive(Clone, Copy)]
struct Trim {
    suffix: bool,
    largest: bool,
}

fn trimmed(value: &str, pattern: &str, trim: Trim) -> String {
    let mut cuts: Vec<usize> = value.char_indices().map(|(i, _)| i).chain([value.len()]).collect();
    if trim.suffix != trim.largest {
        cuts.reverse();
    }
    for cut in cuts {
        let (head, tail) = value.split_at(cut);
        let (part, rest) = if trim.suffix { (tail, head) } else { (head, tail) };
        if glob::matches(pattern, part) {
            return rest.to_owned();
        }
    }
    value.to_owned()
}

fn change_first(text: &str, change: fn(&char) -> char) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => std::iter::once(change(&first)).chain(chars).collect(),
        None => String::new(),
    }
}

fn replace(value: &str, pattern: &str, with: &str, kind: &SubstringMatchKind) -> String {
    let cuts: Vec<usize> = value.char_indices().map(|(i, _)| i).chain([value.len()]).collect();
    let longest = |from: usize| {
        cuts.iter().rev().find(|to| **to > from && glob::matches(pattern, &value[from..**to])).copied()
    };
    let mut out = String::new();
    let mut at = 0;
    let mut done = false;
    for &from in &cuts {
        if from < at {
            continue;
        }
        let wanted = match kind {
            SubstringMatchKind::Prefix => from == 0,
            SubstringMatchKind::FirstOccurrence => !done,
            SubstringMatchKind::Suffix | SubstringMatchKind::Anywhere => true,
        };
        let found = if wanted && from < value.len() { longest(from) } else { None };
        match found {
            Some(to) if !matches!(kind, SubstringMatchKind::Suffix) || to == value.len() => {
                out.push_str(with);
                at = to;
                done = true;
            }
            Some(_) | None => {
                let next = value[from..].chars().next();
                if let Some(c) = next {
                    out.push(c);
                    at = from + c.len_utf8();
                }
            }
        }
    }
    out
}

fn parse(text: &str) -> Vec<WordPieceWithSource> {
    word::parse(text, &ParserOptions::default()).unwrap_or_else(|_| {
        vec![WordPieceWithSource {
            piece: WordPiece::Text(text.to_owned()),
            start_index: 0,
            end_index: text.len(),
        }]
    })
}
