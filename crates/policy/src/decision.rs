//! Decisions, and why.

use core::fmt;

/// What is decided of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision<'p> {
    /// It is allowed.
    Allow(Grounds<'p>),
    /// A statement denies it.
    ExplicitDeny(Cause<'p>),
    /// Nothing allows it.
    ImplicitDeny(Lack),
}

/// A statement that decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cause<'p> {
    /// The kind of policy that it stands in.
    pub layer: Layer,
    /// The level of the organization, from its root on, in layers that have levels.
    pub level: Option<usize>,
    /// Which policy of that layer or level.
    pub policy: usize,
    /// Which statement of that policy.
    pub statement: usize,
    /// The name of the statement.
    pub sid: Option<&'p str>,
}

/// Why a request is allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Grounds<'p> {
    /// A grant, by its id, gives it.
    Grant(&'p str),
    /// The root user of an account may do what needs no key policy.
    Root,
    /// A statement allows it.
    Statement(Cause<'p>),
}

/// Why a request is not allowed, though nothing denies it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lack {
    /// The caller is not known.
    Anonymous,
    /// The operation is not open to callers of another account.
    CrossAccount,
    /// No statement of this layer allows it.
    Layer(Layer),
    /// The policies are too dear to evaluate.
    TooDear,
    /// The resource is none that the action is about.
    WrongResource,
}

/// A kind of policy.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Layer {
    /// The policy of the VPC endpoint.
    Endpoint,
    /// The policies of the caller.
    Identity,
    /// The key policy.
    Key,
    /// The permissions boundary.
    PermissionsBoundary,
    /// The resource control policies.
    ResourceControl,
    /// The service control policies.
    ServiceControl,
    /// The policies of the session.
    Session,
}

impl Decision<'_> {
    /// Whether the request is allowed.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        match self {
            Self::Allow(_) => true,
            Self::ExplicitDeny(_) | Self::ImplicitDeny(_) => false,
        }
    }
}

/// The name of the layer, as AccessDeniedException has it.
impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Endpoint => "VPC endpoint policy",
            Self::Identity => "identity-based policy",
            Self::Key => "resource-based policy",
            Self::PermissionsBoundary => "permissions boundary",
            Self::ResourceControl => "resource control policy",
            Self::ServiceControl => "service control policy",
            Self::Session => "session policy",
        })
    }
}
