//! What did the learner type, and what does the tool print?
