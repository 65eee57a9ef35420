//! "Did you mean …": names near to one that does not exist.

/// The candidate nearest to `word`, ignoring case, if it is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    // A third of the letters may differ; a short name must be nearly right.
    let allowed = (word.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = candidate.to_lowercase();
            let distance = strsim::damerau_levenshtein(&lower, &other);
            let prefix = lower.len() >= 4 && (other.starts_with(&lower) || other.ends_with(&lower));
            (distance <= allowed || prefix)
                .then_some((if prefix { distance.min(2) } else { distance }, candidate))
        })
        .min_by(|a, b| a.cmp(b))
        .map(|(_, candidate)| candidate)
}

/// `a`, `b` or `c` as words.
pub fn quoted_list(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_string(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}
