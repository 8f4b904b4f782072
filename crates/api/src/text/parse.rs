//! How does one piece of text become a tree with positions?
//!
//! saphyr-parser finds the events; this module builds the tree from them with a stack, so that depth costs memory and
//! never the program's own stack. What was read before an error is kept.

use std::{collections::BTreeMap, rc::Rc};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span as Place};

use super::{
    error::{self, Broken},
    node::{Content, Entry, Node, Style},
    split::Piece,
};
use crate::Span;

/// The deepest nesting that is read.
// MODEL: kubectl reads 10,000 levels; no manifest has more than about twenty.
const MAX_DEPTH: usize = 200;

/// The tree of a piece and, where it breaks off, why.
pub(super) fn parse(piece: Piece<'_>) -> (Option<Node>, Option<Broken>) {
    let mut tree = Tree::new(piece);
    for event in Parser::new_from_str(piece.text) {
        let done = match event {
            Ok((event, place)) => tree.take(event, place),
            Err(scan) => Err(error::broken(&scan, piece.text, tree.span(*scan.marker(), *scan.marker()))),
        };
        match done {
            Ok(false) => {}
            Ok(true) => break,
            Err(broken) => {
                tree.close_all();
                return (tree.root, Some(broken));
            }
        }
    }
    (tree.root, None)
}

struct Tree<'t> {
    places: Places<'t>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
}

/// A list or map that has begun and not ended.
struct Open {
    start: Marker,
    anchor: usize,
    items: Vec<Node>,
    map: bool,
}

impl<'t> Tree<'t> {
    fn new(piece: Piece<'t>) -> Self {
        Self { places: Places::new(piece), open: Vec::new(), anchors: BTreeMap::new(), root: None }
    }

    /// Takes one event; true when the document is complete.
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<bool, Broken> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = if style == ScalarStyle::Plain { Style::Plain } else { Style::Quoted };
                let mut span = self.span(place.start, place.end);
                // The parser's end of a plain scalar can be one short; its letters are not.
                let start = span.start as usize - self.places.piece.offset;
                if style == Style::Plain && self.places.piece.text[start..].starts_with(&*text) {
                    span.end = to_u32(self.places.piece.offset + start + text.len());
                }
                let tag = tag.map(|tag| tag.suffix.clone());
                let content = Content::Scalar { text: text.into_owned(), style, tag };
                self.add(Node { span, content: Rc::new(content), alias: false }, anchor);
            }
            Event::SequenceStart(anchor, _) => self.begin(place.start, anchor, false)?,
            Event::MappingStart(anchor, _) => self.begin(place.start, anchor, true)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(place.end),
            Event::Alias(anchor) => {
                let span = self.span(place.start, place.end);
                let name = self.source(span).trim_start_matches('*');
                match self.anchors.get(&anchor) {
                    Some(node) => {
                        let node = Node { span, content: Rc::clone(&node.content), alias: true };
                        self.add(node, 0);
                    }
                    None => {
                        return Err(Broken {
                            message: format!("yaml: anchor '{name}' value contains itself"),
                            span,
                        });
                    }
                }
            }
            Event::DocumentEnd => return Ok(true),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
        }
        Ok(false)
    }

    fn begin(&mut self, start: Marker, anchor: usize, map: bool) -> Result<(), Broken> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("yaml: exceeded max depth of {MAX_DEPTH}");
            return Err(Broken { message, span: self.span(start, start) });
        }
        self.open.push(Open { start, anchor, items: Vec::new(), map });
        Ok(())
    }

    fn end(&mut self, end: Marker) {
        let Some(open) = self.open.pop() else { return };
        let mut span = self.span(open.start, end);
        // A block ends where the next one begins; its last child knows better.
        if let Some(last) = open.items.last() {
            let closed = self.source(span).ends_with([']', '}']);
            if !closed || last.span.end > span.end {
                span.end = last.span.end;
            }
        }
        let content = if open.map {
            let mut entries = Vec::with_capacity(open.items.len() / 2);
            let mut items = open.items.into_iter();
            while let Some(key) = items.next() {
                // Only an interrupted map has a key without a value.
                let value = items.next().unwrap_or_else(|| Node {
                    span: Span { start: key.span.end, ..key.span },
                    content: Rc::new(Content::Scalar { text: String::new(), style: Style::Plain, tag: None }),
                    alias: false,
                });
                entries.push(Entry { key, value });
            }
            Content::Map(entries)
        } else {
            Content::List(open.items)
        };
        self.add(Node { span, content: Rc::new(content), alias: false }, open.anchor);
    }

    fn add(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
    }

    fn close_all(&mut self) {
        while let Some(open) = self.open.last() {
            let end = open.start;
            self.end(end);
        }
    }

    fn span(&self, start: Marker, end: Marker) -> Span {
        self.places.span(start, end)
    }

    fn source(&self, span: Span) -> &'t str {
        let offset = self.places.piece.offset;
        self.places
            .piece
            .text
            .get(span.start as usize - offset..span.end as usize - offset)
            .unwrap_or_default()
    }
}

/// From the parser's character counts to bytes of the whole text.
struct Places<'t> {
    piece: Piece<'t>,
    /// The byte offset of every character; absent where each is one byte.
    bytes: Option<Vec<u32>>,
}

impl<'t> Places<'t> {
    fn new(piece: Piece<'t>) -> Self {
        let bytes =
            (!piece.text.is_ascii()).then(|| piece.text.char_indices().map(|(at, _)| to_u32(at)).collect());
        Self { piece, bytes }
    }

    fn byte(&self, index: usize) -> usize {
        let within = match &self.bytes {
            Some(bytes) => bytes.get(index).map_or(self.piece.text.len(), |at| *at as usize),
            None => index.min(self.piece.text.len()),
        };
        self.piece.offset + within
    }

    fn span(&self, start: Marker, end: Marker) -> Span {
        let first = self.byte(start.index());
        Span {
            start: to_u32(first),
            end: to_u32(self.byte(end.index()).max(first)),
            line: to_u32(self.piece.line + start.line()),
            column: to_u32(start.col() + 1),
        }
    }
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
