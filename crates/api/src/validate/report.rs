//! What is wrong, in the words of field.Error?
