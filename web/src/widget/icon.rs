//! The page's own glyphs: a 16 grid, stroke 1.5, round joins, `currentColor`. One metaphor each; no logos.

use yew::{AttrValue, Html, html};

macro_rules! icons {
    ($($variant:ident $id:literal),* $(,)?) => {
        /// A glyph of the sprite.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the variants are the pictures' own names")]
        pub enum Icon { $($variant),* }

        impl Icon {
            fn href(self) -> &'static str {
                match self { $(Icon::$variant => concat!("#i-", $id)),* }
            }
        }
    };
}

icons! {
    Logo "logo", Pod "pod", Node "node", Eni "eni", Door "door", Funnel "funnel", Api "api", Etcd "etcd",
    Laptop "laptop", Globe "globe", Nat "nat", Igw "igw", Nlb "nlb", Shield "shield", Lock "lock", Open "open",
    Search "search", Undo "undo", Redo "redo", Share "share", Moon "moon", Help "help", Play "play",
    Pause "pause", Next "next", Prev "prev", Check "check", X "x", Clock "clock", Bang "bang", Down "down",
    Right "right", Left "left", Copy "copy", Bulb "bulb", Branch "branch", Person "person", Plus "plus",
    Minus "minus", Fit "fit", Star "star", Select "select", Trace "trace", Service "svc", Term "term",
    File "file", Menu "menu", Dots "dots", Cmd "cmd", Chat "chat", Ff "ff", Loop "loop", Endpoint "endpoint",
}

/// The definitions that every glyph and hatch refers to; once a page.
pub fn sprite() -> Html {
    Html::from_html_unchecked(AttrValue::from(include_str!("icons.svg")))
}

/// A glyph beside text. It says nothing by itself, so it is hidden from readers.
pub fn icon(glyph: Icon, size: &'static str) -> Html {
    html! { <svg class={yew::classes!("i", size)} aria-hidden="true"><use href={glyph.href()}/></svg> }
}

/// A glyph in the scene.
pub fn mark(glyph: Icon, x: i32, y: i32, size: i32) -> Html {
    html! {
        <use class="ic" href={glyph.href()} x={x.to_string()} y={y.to_string()}
            width={size.to_string()} height={size.to_string()}/>
    }
}
