//! What are `a=(x y)`, `${a[1]}`, `"${a[@]}"` and `declare -A`?
//!
//! Elements in the order of their numbers; those of `declare -A` in the order of their keys.
//! MODEL: bash lists the elements of `declare -A` in no order that means anything.
//! Source: bash 5.2 manual, 6.7 Arrays.

use std::rc::Rc;

use brush_parser::{
    ast,
    word::{Parameter, ParameterExpr, SpecialParameter},
};
use imbl::OrdMap;

use crate::{
    eval::{Flow, Shell},
    output::Output,
};

/// Most elements of one array.
const MOST: i64 = 1 << 20;

/// The elements of an array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Array {
    /// Whether `declare -A` made it: keys are words.
    pub by_name: bool,
    numbered: OrdMap<i64, Rc<str>>,
    named: OrdMap<String, Rc<str>>,
}

impl Array {
    /// `declare -A`.
    #[must_use]
    pub fn by_name() -> Self {
        Self { by_name: true, ..Self::default() }
    }

    /// The element of a key: a number, unless keys are words.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = if self.by_name { self.named.get(key) } else { self.numbered.get(&self.number(key)?) };
        found.map(AsRef::as_ref)
    }

    /// Sets an element.
    pub fn put(&mut self, key: &str, value: &str) {
        if self.by_name {
            self.named.insert(key.to_owned(), value.into());
        } else if let Some(number) = self.number(key).filter(|n| *n < MOST) {
            self.numbered.insert(number, value.into());
        }
    }

    /// Adds an element behind the last.
    pub fn push(&mut self, value: &str) {
        self.put(&self.end().to_string(), value);
    }

    /// Takes an element out.
    pub fn remove(&mut self, key: &str) {
        if self.by_name {
            self.named.remove(key);
        } else if let Some(number) = self.number(key) {
            self.numbered.remove(&number);
        }
    }

    /// All elements.
    #[must_use]
    pub fn values(&self) -> Vec<String> {
        self.numbered.values().chain(self.named.values()).map(ToString::to_string).collect()
    }

    /// All keys.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.numbered.keys().map(ToString::to_string).chain(self.named.keys().cloned()).collect()
    }

    /// One past the last number.
    fn end(&self) -> i64 {
        self.numbered.get_max().map_or(0, |(number, _)| number + 1)
    }

    /// A number from the front or, below zero, from the end.
    fn number(&self, key: &str) -> Option<i64> {
        let number: i64 = key.parse().ok()?;
        let number = if number < 0 { self.end() + number } else { number };
        (number >= 0).then_some(number)
    }
}

impl Shell<'_> {
    /// What stands in the brackets of `name[…]`: a word where the array has words as keys, else a number.
    pub(crate) fn key(&mut self, name: &str, index: &str, out: &mut Output) -> Result<String, Flow> {
        let by_name =
            self.machine.variables.get(name).and_then(|v| v.array.as_ref()).is_some_and(|a| a.by_name);
        let text = self.text(index, out)?;
        if by_name {
            return Ok(text);
        }
        crate::arithmetic::evaluate(&text, self.machine).map(|number| number.to_string()).map_err(|message| {
            out.err(&format!("bash: {message}"));
            Flow::Abandoned(1)
        })
    }

    /// Carries out `name=value`, `name[key]=value` and `name=(…)`; their `+=` too.
    pub(crate) fn assign(&mut self, assignment: &ast::Assignment, out: &mut Output) -> Result<(), Flow> {
        let append = assignment.append;
        let (ast::AssignmentName::VariableName(target) | ast::AssignmentName::ArrayElementName(target, _)) =
            &assignment.name;
        let attributes = self.machine.variables.get(target).map(|it| it.attributes).unwrap_or_default();
        if attributes.readonly {
            out.err(&format!("bash: {target}: readonly variable"));
            return Err(Flow::Abandoned(1));
        }
        match (&assignment.name, &assignment.value) {
            (ast::AssignmentName::VariableName(name), ast::AssignmentValue::Scalar(word)) => {
                let mut value = self.text(&word.value, out)?;
                if append {
                    // What is reckoned is added to.
                    let (before, sign) = (
                        self.machine.variable(name).unwrap_or_default(),
                        if attributes.integer { "+" } else { "" },
                    );
                    value = format!("{before}{sign}{value}");
                }
                self.machine.set(name, &value);
            }
            (ast::AssignmentName::ArrayElementName(name, index), ast::AssignmentValue::Scalar(word)) => {
                let key = self.key(name, index, out)?;
                let mut value = self.text(&word.value, out)?;
                let mut array = self.machine.array(name).unwrap_or_default();
                if append {
                    value = format!("{}{value}", array.get(&key).unwrap_or_default());
                }
                array.put(&key, &value);
                self.machine.set_array(name, array);
            }
            (
                ast::AssignmentName::VariableName(name) | ast::AssignmentName::ArrayElementName(name, _),
                ast::AssignmentValue::Array(items),
            ) => {
                let before = self.machine.array(name);
                let mut array = match before {
                    Some(before) if append => before,
                    Some(before) if before.by_name => Array::by_name(),
                    Some(_) | None => Array::default(),
                };
                for (key, word) in items {
                    match key {
                        Some(key) => {
                            let key = self.key(name, &key.value, out)?;
                            let value = self.text(&word.value, out)?;
                            array.put(&key, &value);
                        }
                        None => {
                            for value in self.fields(std::iter::once(word.value.as_str()), out)? {
                                array.push(&value);
                            }
                        }
                    }
                }
                self.machine.set_array(name, array);
            }
        }
        Ok(())
    }

    /// The words that `"$@"`, `"${a[@]}"`, `"${!a[@]}"` and `"${a[@]:1:2}"` become, each a field of its own; `None` for all else.
    pub(crate) fn separate(&mut self, expr: &ParameterExpr) -> Option<Vec<String>> {
        match expr {
            ParameterExpr::Parameter { parameter, indirect: false } => self.all_of(parameter, false),
            ParameterExpr::MemberKeys { variable_name, concatenate: false } => {
                Some(self.machine.array(variable_name).map(|a| a.keys()).unwrap_or_default())
            }
            ParameterExpr::Substring { parameter, offset, length, .. } => {
                let mut all = self.all_of(parameter, false)?;
                // The arguments are counted from `$0`.
                if matches!(parameter, Parameter::Special(_)) {
                    all.insert(0, self.machine.name.to_string());
                }
                let number = |shell: &mut Self, text: &str| {
                    crate::arithmetic::evaluate(text, shell.machine).unwrap_or(0)
                };
                let count = i64::try_from(all.len()).unwrap_or(i64::MAX);
                let from = number(self, &offset.value);
                let from = if from < 0 { (count + from).max(0) } else { from.min(count) };
                let to = match length {
                    Some(length) => from.saturating_add(number(self, &length.value).max(0)).min(count),
                    None => count,
                };
                let at = |n: i64| usize::try_from(n).unwrap_or(0);
                Some(all.get(at(from)..at(to)).unwrap_or_default().to_vec())
            }
            _ => None,
        }
    }

    /// The elements that `$@` or `${a[@]}` stands for, and `$*` or `${a[*]}` too where `joined` says so.
    pub(crate) fn all_of(&self, parameter: &Parameter, joined: bool) -> Option<Vec<String>> {
        match parameter {
            Parameter::NamedWithAllIndices { name, concatenate } if joined || !*concatenate => {
                Some(self.machine.array(name).map(|array| array.values()).unwrap_or_default())
            }
            Parameter::Special(SpecialParameter::AllPositionalParameters { concatenate })
                if joined || !*concatenate =>
            {
                Some(self.machine.positional.iter().map(ToString::to_string).collect())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn elements_have_numbers() {
        assert_eq!(stdout("a=(x 'y z' w); echo $a ${a[1]} ${a[-1]} ${#a[@]} ${a[@]}"), "x y z w 3 x y z w\n");
        assert_eq!(stdout("a=(x y); a+=(z); a[5]=q; echo ${!a[@]}; echo \"${a[*]}\""), "0 1 2 5\nx y z q\n");
        assert_eq!(
            stdout("a=(1 2 3); i=1; echo ${a[i+1]} ${a[$i]}; unset 'a[0]'; echo ${a[@]}"),
            "3 2\n2 3\n"
        );
        assert_eq!(stdout("a=(b c d e); echo ${a[@]:1:2} ${a[0]^^} ${#a[1]}"), "c d B 1\n");
    }

    #[test]
    fn each_element_is_a_word() {
        assert_eq!(stdout("a=('x y' z); for i in \"${a[@]}\"; do echo \"<$i>\"; done"), "<x y>\n<z>\n");
        assert_eq!(
            stdout("a=($(seq 3)); printf '%s,' \"${a[@]}\"; echo; echo $(( a[0] + a[2] ))"),
            "1,2,3,\n4\n"
        );
        assert_eq!(stdout("e=(); for i in \"${e[@]}\"; do echo never; done; echo ${#e[@]}"), "0\n");
    }

    #[test]
    fn keys_may_be_words() {
        assert_eq!(
            stdout("declare -A m=([b]=2 [a]=1); m[c]=3; for k in \"${!m[@]}\"; do echo $k=${m[$k]}; done"),
            "a=1\nb=2\nc=3\n"
        );
        assert_eq!(stdout("f() { local -a l=(1 2); echo ${#l[@]}; }; f; echo [${l[0]}]"), "2\n[]\n");
    }

    #[test]
    fn lines_and_words_are_read_into_arrays() {
        assert_eq!(stdout("mapfile -t l < <(printf 'a b\\nc\\n'); echo ${#l[@]} \"${l[0]}\""), "2 a b\n");
        assert_eq!(stdout("read -ra w <<< 'x y z'; echo ${w[2]}"), "z\n");
    }
}
