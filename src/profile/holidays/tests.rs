#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn both_files_are_read_to_their_ends() {
    let mut book = Book::default();
    book.read(RECORDED_TEXT).unwrap();
    let sections = book.sections.len();
    book.read(CURRENT_TEXT).unwrap();
    // A new section would have no number in the recorded edition.
    assert_eq!(book.sections.len(), sections);
    assert_eq!(sections, 596);
}
