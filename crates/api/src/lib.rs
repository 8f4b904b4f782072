//! What does this text say, and is it legal?
