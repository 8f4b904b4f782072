//! `minSize=1,maxSize=3` and `Name=vpc-id,Values=vpc-1,vpc-2`: structures as one types them.
//!
//! A value is text, a list of several with commas between them, `[…]` or `{…}`; whatever the shape wants is made of it
//! afterwards. Source: AWS CLI 2, `awscli/shorthand.py`.

use serde_json::{Map, Value};

/// Reads one structure.
/// # Errors
/// In the words of the CLI.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut reader = Reader { letters: text.chars().collect(), at: 0 };
    let mut fields = Map::new();
    loop {
        let began = reader.at;
        let (key, value) = reader.pair(Reader::values)?;
        if fields.contains_key(&key) {
            let place = reader.pointed(began);
            return Err(format!(
                "Second instance of key \"{key}\" encountered for input:\n{place}\nThis is often because there is a preceding \",\" instead of a space."
            ));
        }
        fields.insert(key, value);
        if reader.now().is_none() {
            return Ok(Value::Object(fields));
        }
        reader.expect(',')?;
    }
}

struct Reader {
    letters: Vec<char>,
    at: usize,
}

impl Reader {
    fn now(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.now().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// The input with a mark under a place of it.
    fn pointed(&self, at: usize) -> String {
        format!("{}\n{}^", self.letters.iter().collect::<String>(), " ".repeat(at))
    }

    fn no(&self, wanted: &str) -> String {
        let got = self.now().map_or("EOF".to_owned(), String::from);
        format!("Expected: '{wanted}', received: '{got}' for input:\n {}", self.pointed(self.at))
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        self.blanks();
        if self.now() != Some(wanted) {
            return Err(self.no(&wanted.to_string()));
        }
        self.at += 1;
        self.blanks();
        Ok(())
    }

    fn pair(&mut self, value: fn(&mut Self) -> Result<Value, String>) -> Result<(String, Value), String> {
        let began = self.at;
        while self.now().is_some_and(|c| c.is_ascii_alphanumeric() || "-_.#/:".contains(c)) {
            self.at += 1;
        }
        let key: String = self.letters.iter().take(self.at).skip(began).collect();
        self.expect('=')?;
        Ok((key, value(self)?))
    }

    /// A value of the outermost structure: it may be a list without brackets.
    fn values(&mut self) -> Result<Value, String> {
        if matches!(self.now(), Some('[' | '{')) {
            return self.value();
        }
        let mut items = vec![self.word()?];
        self.blanks();
        while self.now() == Some(',') {
            let comma = self.at;
            self.expect(',')?;
            let item = self.word()?;
            self.blanks();
            // What stands before a `=` is the next key.
            if self.now() == Some('=') || item.as_str().is_some_and(|item| item.contains('=')) {
                self.at = comma;
                break;
            }
            items.push(item);
        }
        Ok(if items.len() == 1 { items.remove(0) } else { Value::Array(items) })
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.now() {
            Some('[') => {
                self.expect('[')?;
                let mut items = Vec::new();
                while self.now() != Some(']') {
                    items.push(self.value()?);
                    self.closed_by(']')?;
                }
                self.at += 1;
                Ok(Value::Array(items))
            }
            Some('{') => {
                self.expect('{')?;
                let mut fields = Map::new();
                while self.now() != Some('}') {
                    let (key, value) = self.pair(Self::value)?;
                    fields.insert(key, value);
                    self.closed_by('}')?;
                }
                self.at += 1;
                Ok(Value::Object(fields))
            }
            _ => self.word(),
        }
    }

    /// After an item comes another one, or the end.
    fn closed_by(&mut self, end: char) -> Result<(), String> {
        self.blanks();
        if self.now() == Some(end) { Ok(()) } else { self.expect(',') }
    }

    /// Text, in quotes or up to what ends it.
    fn word(&mut self) -> Result<Value, String> {
        let Some(quote) = self.now().filter(|c| matches!(c, '\'' | '"')) else {
            return Ok(Value::String(self.bare()));
        };
        let began = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            match (self.now(), self.letters.get(self.at + 1)) {
                (Some('\\'), Some(next)) if *next == quote || *next == '\\' => {
                    text.push(*next);
                    self.at += 2;
                }
                (Some(c), _) if c == quote => {
                    self.at += 1;
                    return Ok(Value::String(text));
                }
                (Some(c), _) => {
                    text.push(c);
                    self.at += 1;
                }
                (None, _) => {
                    self.at = began;
                    let kind = if quote == '"' { "double" } else { "singled" };
                    let place = self.pointed(began);
                    return Err(format!(
                        "Expected: '<{kind} quoted>', received: '<none>' for input:\n {place}"
                    ));
                }
            }
        }
    }

    fn bare(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.now() {
            match (c, self.letters.get(self.at + 1)) {
                ('\\', Some(',')) => {
                    text.push(',');
                    self.at += 1;
                }
                (',' | ']' | '}', _) => break,
                _ => text.push(c),
            }
            self.at += 1;
        }
        text.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn structures_are_read_as_the_cli_reads_them() {
        for (text, wanted) in [
            ("minSize=1,maxSize=3", json!({"minSize": "1", "maxSize": "3"})),
            ("Name=vpc-id,Values=a,b", json!({"Name": "vpc-id", "Values": ["a", "b"]})),
            ("Values=a,b,Name=x", json!({"Values": ["a", "b"], "Name": "x"})),
            ("a=[x,y],b={c=d,e=[f]}", json!({"a": ["x", "y"], "b": {"c": "d", "e": ["f"]}})),
            ("a='x, y',b=\"q\\\"\"", json!({"a": "x, y", "b": "q\""})),
            ("a=", json!({"a": ""})),
            ("eks.amazonaws.com/x=y", json!({"eks.amazonaws.com/x": "y"})),
        ] {
            assert_eq!(read(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_pointed_at() {
        assert_eq!(
            read("minSize"),
            Err("Expected: '=', received: 'EOF' for input:\n minSize\n       ^".to_owned())
        );
        assert!(
            read("a=1,a=2").is_err_and(|why| why.starts_with("Second instance of key \"a\" encountered"))
        );
        assert!(read("a=[x").is_err() && read("a='x").is_err() && read("a={b").is_err());
    }
}
