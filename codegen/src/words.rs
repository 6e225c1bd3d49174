//! Words of programs and signature tables, read with their bounds and ranges checked.

use crate::generated::TYPES;
use cranelift_codegen::ir::{types, Type};

/// The error is what is wrong with the words, for a person.
pub type Result<T> = std::result::Result<T, String>;

/// A type's number, 0 (no type) included.
pub fn any_type(number: usize) -> Result<Type> {
    TYPES.get(number).copied().ok_or_else(|| format!("type {number} is not known"))
}

/// The number of a type that values may have.
pub fn value_type(number: usize) -> Result<Type> {
    match any_type(number)? {
        types::INVALID => Err("a type is missing".to_string()),
        known => Ok(known),
    }
}

/// Words, read one by one.
pub struct Words<'a> {
    words: &'a [i32],
    at: usize,
}

impl<'a> Words<'a> {
    /// Reads from the first word on.
    pub fn new(words: &'a [i32]) -> Self {
        Words { words, at: 0 }
    }
    /// How many words were read.
    pub fn position(&self) -> usize {
        self.at
    }
    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.at >= self.words.len()
    }
    /// The next word.
    pub fn next(&mut self) -> Result<i32> {
        let word = self.words.get(self.at).copied().ok_or_else(|| "the program ends in the middle of an instruction".to_string())?;
        self.at += 1;
        Ok(word)
    }
    /// The next word as a number of something.
    pub fn index(&mut self) -> Result<usize> {
        Ok(self.next()? as u32 as usize)
    }
    /// The next word as the length of a list that follows, each item at least a word.
    pub fn count(&mut self) -> Result<usize> {
        let count = self.index()?;
        if count > self.words.len() - self.at {
            return Err(format!("a list of {count} does not fit the program (word {})", self.at - 1));
        }
        Ok(count)
    }
    /// Two words, low first.
    pub fn wide(&mut self) -> Result<u64> {
        let low = self.next()? as u32;
        let high = self.next()? as u32;
        Ok(u64::from(low) | u64::from(high) << 32)
    }
    /// Four words as bytes, little-endian.
    pub fn bytes16(&mut self) -> Result<[u8; 16]> {
        let mut bytes = [0; 16];
        for part in bytes.chunks_exact_mut(4) {
            part.copy_from_slice(&self.next()?.to_le_bytes());
        }
        Ok(bytes)
    }
}
