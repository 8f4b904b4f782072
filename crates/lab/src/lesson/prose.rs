//! What does a lesson say, in one language?
//!
//! One Markdown file per language, in sections by id. Of Markdown we read what lessons use: paragraphs, lists,
//! `code`, **strong**, [links](…), `[[term|text]]` for the glossary and `{{fact}}` for numbers from the simulator's
//! tables. Nothing here knows how it looks.

use super::facts;

/// Everything a lesson says in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prose {
    /// The lesson's title.
    pub title: String,
    /// Its sections in the file's order.
    pub sections: Vec<Section>,
}

/// What stands under one `## id`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Such as `goal:gated`.
    pub id: String,
    /// Line of its heading, from 1.
    pub line: usize,
    /// Its paragraphs and lists.
    pub blocks: Vec<Block>,
}

/// A paragraph or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A list: options of a question, or points.
    List(Vec<Vec<Inline>>),
}

/// A stretch of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Plain.
    Text(String),
    /// `code`.
    Code(String),
    /// **strong**.
    Strong(Vec<Inline>),
    /// A glossary entry.
    Term {
        /// Its id.
        id: String,
        /// How it reads here; the entry's own term if absent.
        text: Option<String>,
    },
    /// A link to a document.
    Link {
        /// How it reads.
        text: String,
        /// Where it leads.
        url: String,
    },
    /// A number from the simulator's tables.
    Fact {
        /// As written: `maxPods t3.small`.
        words: String,
        /// What it stands for; nothing if there is no such fact.
        value: Option<String>,
    },
}

impl Prose {
    /// Reads a file. Whatever it says, something comes out; what is wrong with it is for the rules to say.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut prose = Prose::default();
        let mut section = Section::default();
        let mut paragraph = String::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if let Some(id) = line.strip_prefix("## ") {
                close(&mut paragraph, &mut section);
                prose.push(std::mem::take(&mut section));
                section = Section { id: id.trim().to_owned(), line: number + 1, blocks: Vec::new() };
            } else if let Some(title) = line.strip_prefix("# ") {
                title.trim().clone_into(&mut prose.title);
            } else if let Some(item) = line.strip_prefix("- ") {
                close(&mut paragraph, &mut section);
                match section.blocks.last_mut() {
                    Some(Block::List(items)) => items.push(inlines(item)),
                    _ => section.blocks.push(Block::List(vec![inlines(item)])),
                }
            } else if line.is_empty() {
                close(&mut paragraph, &mut section);
            } else {
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                paragraph.push_str(line);
            }
        }
        close(&mut paragraph, &mut section);
        prose.push(section);
        prose
    }

    fn push(&mut self, section: Section) {
        if !section.id.is_empty() {
            self.sections.push(section);
        }
    }

    /// The section `id`.
    #[must_use]
    pub fn section(&self, id: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == id)
    }
}

impl Section {
    /// Its text without markup, facts filled in; paragraphs and items on lines of their own.
    #[must_use]
    pub fn plain(&self) -> String {
        let mut out = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Paragraph(inlines) => out.push(plain(inlines)),
                Block::List(items) => out.extend(items.iter().map(|item| plain(item))),
            }
        }
        out.join("\n")
    }

    /// The options of a question.
    #[must_use]
    pub fn options(&self) -> Vec<String> {
        let lists = self.blocks.iter().filter_map(|block| match block {
            Block::List(items) => Some(items),
            Block::Paragraph(_) => None,
        });
        lists.flatten().map(|item| plain(item)).collect()
    }

    /// Every stretch of text in it.
    pub fn inlines(&self) -> Vec<&Inline> {
        fn flat<'i>(inlines: &'i [Inline], out: &mut Vec<&'i Inline>) {
            for inline in inlines {
                out.push(inline);
                if let Inline::Strong(inner) = inline {
                    flat(inner, out);
                }
            }
        }
        let mut out = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Paragraph(inlines) => flat(inlines, &mut out),
                Block::List(items) => items.iter().for_each(|item| flat(item, &mut out)),
            }
        }
        out
    }
}

/// Text without markup, facts filled in.
#[must_use]
pub fn plain(inlines: &[Inline]) -> String {
    let mut out = String::new();
    for inline in inlines {
        match inline {
            Inline::Text(text) | Inline::Code(text) | Inline::Link { text, .. } => out.push_str(text),
            Inline::Strong(inner) => out.push_str(&plain(inner)),
            Inline::Term { id, text } => out.push_str(text.as_ref().unwrap_or(id)),
            Inline::Fact { words, value } => out.push_str(value.as_ref().unwrap_or(words)),
        }
    }
    out
}

fn close(paragraph: &mut String, section: &mut Section) {
    if !paragraph.is_empty() {
        section.blocks.push(Block::Paragraph(inlines(paragraph)));
        paragraph.clear();
    }
}

/// Marks, longest first where one begins another.
const MARKS: &[(&str, &str)] = &[("`", "`"), ("**", "**"), ("[[", "]]"), ("{{", "}}"), ("[", ")")];

fn inlines(text: &str) -> Vec<Inline> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let marked = MARKS.iter().find_map(|(open, close)| {
            let body = rest.strip_prefix(open)?;
            let end = body.find(close)?;
            let inline = marked(open, &body[..end])?;
            Some((inline, &body[end + close.len()..]))
        });
        match marked {
            Some((inline, after)) => {
                if !plain.is_empty() {
                    out.push(Inline::Text(std::mem::take(&mut plain)));
                }
                out.push(inline);
                rest = after;
            }
            None => {
                plain.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    if !plain.is_empty() {
        out.push(Inline::Text(plain));
    }
    out
}

fn marked(open: &str, body: &str) -> Option<Inline> {
    Some(match open {
        "`" => Inline::Code(body.to_owned()),
        "**" => Inline::Strong(inlines(body)),
        "[[" => match body.split_once('|') {
            Some((id, text)) => Inline::Term { id: id.trim().to_owned(), text: Some(text.to_owned()) },
            None => Inline::Term { id: body.trim().to_owned(), text: None },
        },
        "{{" => Inline::Fact { words: body.trim().to_owned(), value: facts::value(body) },
        _ => {
            let (text, url) = body.split_once("](")?;
            Inline::Link { text: text.to_owned(), url: url.to_owned() }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_knows_its_terms_facts_and_code() {
        let prose = Prose::read("# T\n## intro\nAn [[eni|ENI]] of {{type t3.small}}: `web`, **now**.\n");
        assert_eq!(prose.title, "T");
        assert_eq!(prose.sections[0].plain(), "An ENI of t3.small: web, now.");
        assert!(matches!(prose.sections[0].inlines()[1], Inline::Term { id, .. } if id == "eni"));
    }

    #[test]
    fn options_are_the_items_of_the_list() {
        let prose = Prose::read("# T\n## predict:a\nHow many?\n- all\n- `none`\n");
        assert_eq!(
            prose.section("predict:a").map(Section::options),
            Some(vec!["all".to_owned(), "none".to_owned()])
        );
    }

    #[test]
    fn an_open_mark_stays_text() {
        assert_eq!(inlines("a `b"), [Inline::Text("a `b".to_owned())]);
        assert_eq!(inlines("a [b] c"), [Inline::Text("a [b] c".to_owned())]);
    }
}
