//! The pages of AWS Organizations' lists.

use super::input::Input;
use crate::refusal::{Invalid, Refusal};
use crate::services::pages::{Cut, Page, cut_page};
use crate::world::World;

/// The largest page of every operation.
const LARGEST: usize = 20;

/// Returns the page of `items` that the request asks for. `list` identifies the list, so that a
/// token is not valid for another list.
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

/// Returns the next page of a list whose page size callers cannot reduce.
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
    let invalid = || Refusal::invalid(Invalid::NextToken, None);
    cut_page(cut, list, input.optional("NextToken")?, items.into_iter()).ok_or_else(invalid)
}
