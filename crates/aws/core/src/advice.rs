//! The next step after an error, in the words of the person who can take it.
//!
//! The operator of the command, the author of a template and the reader of a log take different
//! steps after the same failure. Every hint that depends on the reader is here.

use std::borrow::Cow;

use errors::Reader;
use plan::member_accounts::NAME_A_ROLE;

/// The next step after an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Advice {
    /// A step that is the same for every reader, such as the correction of an object or a name.
    Same(&'static str),
    /// A failure that passes.
    Again,
    /// Others change the organization at the same time.
    Busy,
    /// The time was over before the work was done.
    Resume,
    /// Another writer was faster.
    Superseded,
    /// AWS cannot be reached.
    Network,
    /// Something other than AWS answers.
    Between,
    /// The caller has no credentials.
    NoCredentials,
    /// The session of the caller is over.
    Expired,
    /// AWS does not accept the credentials.
    InvalidCredentials,
    /// The account is in no organization.
    NoOrganization,
    /// Only the management account can do it.
    ManagementAccount,
    /// The caller lacks a permission in the management account.
    Permission,
    /// The caller may not read the state bucket.
    StateDenied,
    /// The state bucket does not exist.
    StateMissing,
    /// The role in a member account cannot be assumed, or lacks a permission.
    MemberRole,
    /// A call in a Region of a member account is denied.
    MemberRegion,
    /// A failure in a member account that passes.
    MemberAgain,
    /// AWS refuses something in a member account.
    MemberOther,
}

impl Advice {
    /// Returns the step in the words of `reader`; `None` if this reader can do nothing about it.
    /// `action` is the IAM action that was denied, if one was.
    pub(crate) fn of(self, reader: Reader, action: Option<&str>) -> Option<Cow<'static, str>> {
        let text = match reader {
            Reader::Operator => return Some(self.of_operator(action)),
            Reader::Author => self.of_author(),
            Reader::Log => self.of_log().or_else(|| self.of_author()),
        };
        text.map(Cow::Borrowed)
    }

    fn of_operator(self, action: Option<&str>) -> Cow<'static, str> {
        let text = match self {
            Self::Same(text) => text,
            Self::Again => "this passes; run the command again",
            Self::Busy => "others are changing the organization as well; run the command again",
            Self::Resume | Self::Superseded | Self::MemberAgain => "run the command again",
            Self::Network => {
                "see whether this machine has a way to AWS, which HTTPS_PROXY names if it is a \
                 proxy, and whether AWS_ENDPOINT_URL is set"
            }
            Self::Between => {
                "something between this machine and AWS answers in its place, such as a proxy or an \
                 endpoint that the environment names"
            }
            Self::NoCredentials => {
                "log in, as with `aws sso login`, or name a profile that has credentials with \
                 `--profile` or AWS_PROFILE"
            }
            Self::Expired => {
                "log in again, as with `aws sso login`, or put new credentials into the environment"
            }
            Self::InvalidCredentials => {
                "correct the access key, or name another profile with `--profile`"
            }
            Self::NoOrganization => {
                "use credentials of the management account, as with `--profile`; if there is no \
                 organization yet, create one with all features"
            }
            Self::ManagementAccount => {
                "use credentials of the management account, as with `--profile`"
            }
            Self::Permission => {
                let Some(action) = action else {
                    return "use credentials of the management account that allow it, as with \
                            `--profile`"
                        .into();
                };
                return format!(
                    "use credentials that allow `{action}` in the management account, as with \
                     `--profile`"
                )
                .into();
            }
            Self::StateDenied => {
                "correct `--state-bucket`, or use credentials that may list and read this bucket \
                 and use its key"
            }
            Self::StateMissing => {
                "correct `--state-bucket`, or leave it out: the command finds the bucket that the \
                 bootstrap stack exports"
            }
            Self::MemberRole if action.is_none_or(|it| it == "sts:AssumeRole") => NAME_A_ROLE,
            Self::MemberRole | Self::MemberRegion => {
                let action = action.map_or_else(|| "the call".to_owned(), |it| format!("`{it}`"));
                let allow = format!("let the role that the command assumes there allow {action}");
                let denying = "see whether a service control policy denies the Region";
                let is_in_region = self == Self::MemberRegion;
                return if is_in_region { format!("{denying}, or {allow}") } else { allow }.into();
            }
            Self::MemberOther => "see what AWS says",
        };
        text.into()
    }

    fn of_author(self) -> Option<&'static str> {
        Some(match self {
            Self::Same(text) => text,
            Self::Again => "this passes; deploy again",
            Self::Busy => "others are changing the organization as well; deploy again",
            Self::Resume => "deploy again to continue where it stopped",
            Self::Superseded | Self::MemberAgain => "deploy again",
            Self::Network => {
                "usually temporary; if it continues, check that the function can reach the AWS endpoints"
            }
            Self::Between => {
                "something between the function and AWS answers in its place, such as a proxy or an \
                 endpoint that the environment names"
            }
            Self::NoCredentials => "give the function an execution role",
            Self::Expired | Self::InvalidCredentials => return None,
            Self::NoOrganization => {
                "this account is not in an organization; create one with all features first"
            }
            Self::ManagementAccount => {
                "run the function in the organization's management account, or name a role there \
                 in `ManagementRoleArn`"
            }
            Self::Permission => {
                "run the function in the organization's management account, or name a role there \
                 in `ManagementRoleArn`, and give the role permission for the action"
            }
            Self::StateDenied => {
                "let the function's own role read, write and list its prefix of the state bucket, \
                 and use the key that encrypts it"
            }
            Self::StateMissing => {
                "deploy the stack of the state bucket again, or correct `STATE_BUCKET`"
            }
            Self::MemberRole => {
                "roll out the role to this account, let it trust the function's own role, and let \
                 it allow what this run calls"
            }
            Self::MemberRegion => {
                "see whether a service control policy denies the Region, and leave it out of \
                 `Regions` or let the role allow the call"
            }
            Self::MemberOther => "see what AWS says, and correct the template",
        })
    }

    /// Returns the step of a reader of a log, if it differs from the step of an author.
    fn of_log(self) -> Option<&'static str> {
        Some(match self {
            Self::Again => "this passes; the next event or the next run tries again",
            Self::Busy => {
                "others are changing the organization as well; the next event or the next run tries \
                 again"
            }
            Self::Resume => "the next event or the next run continues where it stopped",
            Self::Superseded => "the next event or the next run checks it again",
            Self::MemberAgain => "the next run tries again",
            Self::ManagementAccount => {
                "deploy the function in the organization's management account"
            }
            Self::Permission => {
                "deploy the function in the organization's management account, and give its role \
                 permission for the action"
            }
            Self::Same(_)
            | Self::Network
            | Self::Between
            | Self::NoCredentials
            | Self::Expired
            | Self::InvalidCredentials
            | Self::NoOrganization
            | Self::StateDenied
            | Self::StateMissing
            | Self::MemberRole
            | Self::MemberRegion
            | Self::MemberOther => return None,
        })
    }
}
