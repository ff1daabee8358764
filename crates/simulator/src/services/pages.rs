//! Pages: a maximum number of items, and optionally an empty page before each.

use crate::ids::hash;

/// One page of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// The way in which a list is divided.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    pub(super) size: usize,
    pub(super) empty: bool,
}

/// Returns the page of `items` for a token, or `None` if the token belongs to another list. `list`
/// identifies the list, so that a token is not valid for another list.
///
/// A token consists of the list, the position in it, and whether the empty page before it was sent.
pub(super) fn cut_page<T>(
    cut: Cut,
    list: &str,
    token: Option<&str>,
    mut items: impl Iterator<Item = T>,
) -> Option<Page<T>> {
    let list = hash(list);
    let (start, emptied) = match token {
        None => (0, false),
        Some(token) => parse(token, list)?,
    };
    if cut.empty && !emptied {
        return Some(Page { items: Vec::new(), next: Some(format!("{list:016x}.{start}.e")) });
    }
    let page: Vec<T> = items.by_ref().skip(start).take(cut.size).collect();
    let more = items.next().is_some();
    let next = more.then(|| format!("{list:016x}.{}.f", start + cut.size));
    Some(Page { items: page, next })
}

fn parse(token: &str, list: u64) -> Option<(usize, bool)> {
    let mut parts = token.split('.');
    let (hash, start, kind) = (parts.next()?, parts.next()?, parts.next()?);
    let right = u64::from_str_radix(hash, 16).ok()? == list && parts.next().is_none();
    right.then_some((start.parse().ok()?, kind == "e"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(cut: Cut, items: usize) -> Vec<Vec<usize>> {
        let mut pages = Vec::new();
        let mut token = None;
        loop {
            let page = cut_page(cut, "list", token.as_deref(), 0..items).unwrap();
            pages.push(page.items);
            assert!(pages.len() <= 2 * items + 2, "there is no end");
            token = page.next;
            if token.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn the_last_page_has_no_token_even_when_it_is_full() {
        assert_eq!(all(Cut { size: 2, empty: false }, 4), [vec![0, 1], vec![2, 3]]);
        assert_eq!(all(Cut { size: 2, empty: false }, 0), [Vec::<usize>::new()]);
    }

    #[test]
    fn an_empty_page_with_a_token_comes_before_every_page() {
        let expected = [vec![], vec![0, 1], vec![], vec![2]];
        assert_eq!(all(Cut { size: 2, empty: true }, 3), expected);
        assert_eq!(all(Cut { size: 2, empty: true }, 0), [Vec::<usize>::new(), vec![]]);
    }

    #[test]
    fn a_token_is_good_for_its_own_list_only() {
        let cut = Cut { size: 1, empty: false };
        let token = cut_page(cut, "one", None, 0..2).unwrap().next.unwrap();
        assert!(cut_page(cut, "one", Some(&token), 0..2).is_some());
        assert_eq!(cut_page(cut, "other", Some(&token), 0..2), None);
    }
}
