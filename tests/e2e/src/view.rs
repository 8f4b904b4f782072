//! Which screen, theme and language does the person have?

/// What the browser tells the page about its user. The page follows it until told otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The window's inside.
    pub size: Size,
    /// `prefers-color-scheme`.
    pub theme: Theme,
    /// `navigator.languages`, for example `ko` or `en`.
    pub language: String,
    /// `prefers-reduced-motion`.
    pub reduced_motion: bool,
    /// How many times slower the processor is made: 4 is a cheap phone. 1 is this machine.
    pub slow_down: u32,
    /// What `localStorage` does.
    pub storage: Storage,
}

/// Whether the browser keeps anything for the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// As usual.
    Open,
    /// The user forbids it: to ask for it throws `SecurityError`, as the HTML standard says.
    Blocked,
}

/// A size in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// Colours on a bright or on a dark ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark on bright.
    Light,
    /// Bright on dark.
    Dark,
}

impl Size {
    /// A laptop.
    pub const DESKTOP: Size = Size { width: 1440, height: 900 };
    /// A phone held upright.
    pub const PHONE: Size = Size { width: 390, height: 844 };
    /// A tablet held upright.
    pub const TABLET: Size = Size { width: 820, height: 1180 };

    /// Reads `1440x900`.
    pub fn parse(text: &str) -> Option<Size> {
        let (width, height) = text.split_once('x')?;
        Some(Size { width: width.parse().ok()?, height: height.parse().ok()? })
    }

    /// A screen narrow enough to be touched rather than pointed at.
    pub fn is_phone(self) -> bool {
        self.width < 600
    }
}

impl Theme {
    /// The word of CSS.
    pub fn name(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

impl View {
    /// A laptop with the light theme, in English.
    pub fn desktop() -> View {
        View {
            size: Size::DESKTOP,
            theme: Theme::Light,
            language: "en".into(),
            reduced_motion: false,
            slow_down: 1,
            storage: Storage::Open,
        }
    }

    /// A tablet with the light theme, in English.
    pub fn tablet() -> View {
        View { size: Size::TABLET, ..View::desktop() }
    }

    /// A phone with the light theme, in Korean.
    pub fn phone() -> View {
        View { size: Size::PHONE, language: "ko".into(), ..View::desktop() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_read_as_width_times_height() {
        assert_eq!(Size::parse("390x844"), Some(Size::PHONE));
        assert_eq!((Size::parse("390"), Size::parse("x844")), (None, None));
    }
}
