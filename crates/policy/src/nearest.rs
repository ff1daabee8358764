//! Suggestions for misspelt names.

/// Returns the name that `key` was probably meant to be.
pub(super) fn nearest<'a>(key: &str, names: &[&'a str]) -> Option<&'a str> {
    const FAR: usize = 40;
    if key.len() > FAR {
        return None;
    }
    let key = key.to_lowercase();
    let distance = |it: &&&str| distance(&key, it);
    let best = names.iter().min_by_key(distance)?;
    (distance(&best) * 3 <= best.len()).then_some(*best)
}

/// Returns the number of letters that have to be changed, added or removed.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (index, left) in one.chars().enumerate() {
        let mut diagonal = index;
        let mut last = index + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(other.chars()) {
            let cost = diagonal + usize::from(!left.eq_ignore_ascii_case(&right));
            diagonal = *cell;
            last = cost.min(last + 1).min(diagonal + 1);
            *cell = last;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
