//! Prose on the page: paragraphs, lists, code, strong, links, glossary terms and facts.

use lab::{
    lesson::prose::{Block, Inline},
    library,
    words::Lang,
};
use yew::{Html, html};

/// Paragraphs and lists.
pub fn blocks(blocks: &[Block], lang: Lang) -> Html {
    let one = |block: &Block| match block {
        Block::Paragraph(text) => html! { <p class="prose">{inlines(text, lang)}</p> },
        Block::List(items) => html! {
            <ul class="prose">{for items.iter().map(|item| html! { <li>{inlines(item, lang)}</li> })}</ul>
        },
    };
    html! { <>{for blocks.iter().map(one)}</> }
}

/// A line of prose.
pub fn inlines(text: &[Inline], lang: Lang) -> Html {
    let one = |inline: &Inline| match inline {
        Inline::Text(text) => html! { {text.clone()} },
        Inline::Code(text) => code(text),
        Inline::Strong(text) => html! { <b>{inlines(text, lang)}</b> },
        Inline::Term { id, text } => {
            let term = library::term(id);
            let (word, about) =
                term.map_or((id.clone(), String::new()), |term| lang.pick(&term.ko, &term.en).clone());
            html! { <dfn title={about}>{text.clone().unwrap_or(word)}</dfn> }
        }
        Inline::Link { text, url } => {
            html! { <a href={url.clone()} target="_blank" rel="noopener">{text.clone()}</a> }
        }
        Inline::Fact { words, value } => html! { <b>{value.clone().unwrap_or_else(|| words.clone())}</b> },
    };
    html! { <>{for text.iter().map(one)}</> }
}

/// Most letters of a name that is never broken at its hyphens.
const SHORT: usize = 20;

fn code(text: &str) -> Html {
    html! { <code class={(text.len() <= SHORT).then_some("is-whole")}>{text.to_owned()}</code> }
}

/// A sentence of `lab::words`, in which `code` and **strong** are written as in Markdown.
pub fn sentence(text: &str) -> Html {
    let coded = text.split('`').enumerate().map(|(index, piece)| {
        if index % 2 == 1 {
            code(piece)
        } else {
            let strong = piece.split("**").enumerate().map(|(index, piece)| {
                if index % 2 == 1 {
                    html! { <b>{piece.to_owned()}</b> }
                } else {
                    html! { {piece.to_owned()} }
                }
            });
            html! { <>{for strong}</> }
        }
    });
    html! { <>{for coded}</> }
}
