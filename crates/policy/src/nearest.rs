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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_the_number_of_letters_to_change_add_or_remove() {
        for (one, other, expected) in [
            ("", "", 0),
            ("rules", "rules", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("ab", "ba", 2),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("gumbo", "gambol", 2),
            ("aaaa", "a", 3),
            ("größe", "grösse", 2),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn a_name_is_suggested_if_a_third_of_it_differs_at_the_most() {
        let names = ["regions", "rules", "selections"];
        for (key, expected) in [
            ("regons", Some("regions")),
            ("Regionss", Some("regions")),
            ("reigons", Some("regions")),
            ("rexxxns", None),
            ("ruels", None),
            ("rule", Some("rules")),
            ("tea", None),
        ] {
            assert_eq!(nearest(key, &names), expected, "{key}");
        }
        assert_eq!(nearest("abd", &["abc"]), Some("abc"), "a third");
        assert_eq!(nearest("rules", &[]), None);
    }

    #[test]
    fn a_long_key_is_not_compared() {
        let name = "x".repeat(40);
        assert_eq!(nearest(&name, &[&name]), Some(&name[..]));
        assert_eq!(nearest(&"x".repeat(41), &[&name]), None);
    }
}
