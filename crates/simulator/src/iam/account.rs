//! The placeholder for the account of a role that every account has.

use std::borrow::Cow;

const ACCOUNT: &str = "$account";

/// Returns `text` with the account in place of `$account`.
pub(crate) fn in_account<'a>(text: &'a str, account: &str) -> Cow<'a, str> {
    if text.contains(ACCOUNT) {
        Cow::Owned(text.replace(ACCOUNT, account))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_of_a_role_takes_its_place() {
        let arn = in_account("arn:aws:iam::$account:role/backup", "444455556666");
        assert_eq!(arn, "arn:aws:iam::444455556666:role/backup");
    }
}
