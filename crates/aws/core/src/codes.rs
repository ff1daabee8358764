//! The error codes that mean the same in every service, and to every caller.

/// The meaning of an error code that does not depend on the service or on the caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CommonCode {
    /// The caller lacks a permission.
    Denied,
    /// Throttling, or a failure of AWS itself. Asking again helps.
    Transient,
}

impl CommonCode {
    /// Returns the meaning of an error code and an HTTP status, if it is the same everywhere.
    ///
    /// A caller decides first about the codes that mean something to it alone: the codes for
    /// credentials and limits, for example, are left to it.
    pub fn of(code: &str, status: u16) -> Option<Self> {
        match code {
            // Of Amazon SNS and of Amazon EC2.
            "AuthorizationError" | "UnauthorizedOperation" => Some(Self::Denied),
            it if it.starts_with("AccessDenied") => Some(Self::Denied),
            "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "RequestTimeout"
            | "RequestTimeoutException"
            | "ServiceException"
            | "ServiceUnavailableException"
            | "SlowDown"
            | "TooManyRequestsException" => Some(Self::Transient),
            it if it.contains("Throttl") => Some(Self::Transient),
            _ if status >= 500 => Some(Self::Transient),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CommonCode;

    #[test]
    fn a_status_decides_where_the_code_says_nothing() {
        assert_eq!(CommonCode::of("AccessDenied", 500), Some(CommonCode::Denied));
        assert_eq!(CommonCode::of("ThrottledException", 400), Some(CommonCode::Transient));
        assert_eq!(CommonCode::of("TeapotException", 503), Some(CommonCode::Transient));
        assert_eq!(CommonCode::of("TeapotException", 418), None);
    }
}
