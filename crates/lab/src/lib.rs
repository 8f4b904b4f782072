//! What did we do, what do we see, is it solved?
