//! Pages: at most so many items, and perhaps an empty page before each.

use super::input::Input;
use crate::refusal::{Invalid, Refusal};
use crate::world::World;

/// The largest page of every operation.
const LARGEST: usize = 20;

/// One page of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// How a list is cut.
#[derive(Clone, Copy)]
struct Cut {
    size: usize,
    empty: bool,
}

/// The page of `items` that the request asks for. The `list` says which list it is, so that a token
/// is good for no other.
pub(super) fn page<T>(
    world: &World,
    input: &Input<'_>,
    list: &str,
    items: impl IntoIterator<Item = T>,
) -> Result<Page<T>, Refusal> {
    let asked = input.number("MaxResults")?;
    if asked.is_some_and(|it| it < 1) {
        return Err(Refusal::invalid(Invalid::MinValue, Some("MaxResults")));
    }
    let asked = asked.map_or(LARGEST, |it| usize::try_from(it).unwrap_or(usize::MAX));
    if asked > LARGEST {
        return Err(Refusal::invalid(Invalid::MaxValue, Some("MaxResults")));
    }
    sized(world, input, list, asked, items)
}

/// The page that comes next of a list whose pages nobody may ask to be smaller.
pub(super) fn whole_page<T>(
    world: &World,
    input: &Input<'_>,
    list: &str,
    items: impl IntoIterator<Item = T>,
) -> Result<Page<T>, Refusal> {
    sized(world, input, list, LARGEST, items)
}

fn sized<T>(
    world: &World,
    input: &Input<'_>,
    list: &str,
    size: usize,
    items: impl IntoIterator<Item = T>,
) -> Result<Page<T>, Refusal> {
    let cut = Cut { size: size.min(world.page_size), empty: world.empty_pages };
    cut_page(cut, list, input.optional("NextToken")?, items.into_iter())
}

/// A token is the list, the place in it, and whether the empty page before it was sent.
fn cut_page<T>(
    cut: Cut,
    list: &str,
    token: Option<&str>,
    mut items: impl Iterator<Item = T>,
) -> Result<Page<T>, Refusal> {
    let invalid = || Refusal::invalid(Invalid::NextToken, None);
    let list = hash(list);
    let (start, emptied) = match token {
        None => (0, false),
        Some(token) => parse(token, list).ok_or_else(invalid)?,
    };
    if cut.empty && !emptied {
        return Ok(Page { items: Vec::new(), next: Some(format!("{list:016x}.{start}.e")) });
    }
    let page: Vec<T> = items.by_ref().skip(start).take(cut.size).collect();
    let more = items.next().is_some();
    let next = more.then(|| format!("{list:016x}.{}.f", start + cut.size));
    Ok(Page { items: page, next })
}

fn parse(token: &str, list: u64) -> Option<(usize, bool)> {
    let mut parts = token.split('.');
    let (hash, start, kind) = (parts.next()?, parts.next()?, parts.next()?);
    let right = u64::from_str_radix(hash, 16).ok()? == list && parts.next().is_none();
    right.then_some((start.parse().ok()?, kind == "e"))
}

fn hash(text: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325;
    text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
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
        assert!(cut_page(cut, "one", Some(&token), 0..2).is_ok());
        let refusal = cut_page(cut, "other", Some(&token), 0..2).unwrap_err();
        assert_eq!(refusal.reason.as_deref(), Some("INVALID_NEXT_TOKEN"));
    }
}
