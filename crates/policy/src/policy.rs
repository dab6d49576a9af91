//! A policy, compiled once and asked many times.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use crate::action::{Action, Actions};
use crate::arn::{Reach, Resource, ResourcePattern};
use crate::caller::{Caller, Ids, NamedPrincipals, Strength};
use crate::context::KeyName;
use crate::document::{self, Document, Effect, Kind, ParsePolicyError, grammar};
use crate::key::KeySet;
use crate::pattern::Scope;
use crate::requirement::{Requirement, Truth, all_hold, truth};

/// The longest policy that is compiled, in bytes: what the API takes at most.
pub const LONGEST_POLICY: usize = 131_072;

/// A policy, compiled.
#[derive(Clone, Debug)]
pub struct Policy {
    /// For each statement, the actions of the table that it covers: most are passed over by that alone.
    masks: Vec<u64>,
    statements: Vec<Statement>,
    mentions: KeySet,
}

/// A statement, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) effect: Effect,
    /// None in a policy that hangs on a principal.
    principals: Option<NamedPrincipals>,
    actions: Actions,
    resources: Box<[ResourcePattern]>,
    except_resources: bool,
    pub(crate) requirements: Box<[Requirement]>,
}

/// What statements are asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'q> {
    pub(crate) caller: &'q Caller<'q>,
    /// Whether the caller has a permissions boundary.
    pub(crate) is_bounded: bool,
    pub(crate) action: &'q Action,
    pub(crate) resource: &'q Resource<'q>,
    pub(crate) scope: Scope<'q, 'q>,
    /// Whether what is not known of the request is taken to be as the caller would have it.
    pub(crate) hopes: bool,
}

/// What a policy says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// A statement allows, naming the caller with this strength.
    Allow(usize, Strength),
    /// A statement denies.
    Deny(usize),
    /// Nothing.
    Silence,
}

impl Policy {
    /// Compiles a policy that hangs on what `kind` says.
    ///
    /// # Errors
    /// Where it is not of the grammar, names a principal that cannot exist, or is longer than [`LONGEST_POLICY`].
    pub fn compile(kind: Kind, text: &str) -> Result<Self, ParsePolicyError> {
        Self::compile_bound(kind, text, &|_| None)
    }

    /// The same, where the users and roles that it names are those with the unique ids that `ids` has for their ARNs. One
    /// that is made later under the same name is somebody else.
    ///
    /// # Errors
    /// As [`Policy::compile`].
    pub fn compile_bound<'i>(
        kind: Kind,
        text: &str,
        ids: &'i dyn Fn(&str) -> Option<&'i str>,
    ) -> Result<Self, ParsePolicyError> {
        if text.len() > LONGEST_POLICY {
            return Err(grammar("it is too long"));
        }
        Ok(Self::bound(&Document::parse_as(kind, text)?, ids))
    }

    /// As [`Policy::compile_bound`], of what is parsed already.
    #[must_use]
    pub fn bound<'i>(document: &Document, ids: &'i dyn Fn(&str) -> Option<&'i str>) -> Self {
        let compile = |statement| Statement::compile(statement, document, ids);
        let statements: Vec<_> = document.statements.iter().map(compile).collect();
        let mut mentions = KeySet::EMPTY;
        let mut add = |key: &KeyName| mentions = mentions.with_name(key.text());
        statements.iter().for_each(|statement| statement.mention(&mut add));
        Self { masks: statements.iter().map(|one| one.actions.known).collect(), statements, mentions }
    }

    /// The condition keys that it asks for, in conditions and in variables. No other makes a difference to it.
    #[must_use]
    pub fn mentions(&self) -> KeySet {
        self.mentions
    }

    /// The names of the condition keys that it asks for, in conditions and in variables, each as it is written first.
    #[must_use]
    pub fn context_keys(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        let mut known = BTreeSet::new();
        for statement in &self.statements {
            statement.mention(&mut |key| {
                if known.insert(key.text().to_ascii_lowercase()) {
                    names.push(key.text());
                }
            });
        }
        names
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The name of a statement.
    pub(crate) fn sid(&self, statement: usize) -> Option<&str> {
        self.statements.get(statement)?.sid.as_deref()
    }

    /// What this policy says. The first statement that denies settles it; else the strongest that allows.
    pub(crate) fn ask(&self, question: &Question<'_>) -> Verdict {
        let bit = question.action.bit();
        let mut verdict = Verdict::Silence;
        for (index, mask) in self.masks.iter().enumerate() {
            if bit != 0 && mask & bit == 0 {
                continue;
            }
            let Some(statement) = self.statements.get(index) else { continue };
            let enough = matches!(verdict, Verdict::Allow(_, Strength::Direct));
            if enough && statement.effect == Effect::Allow {
                continue;
            }
            let Some(strength) = statement.covers(question) else { continue };
            match statement.effect {
                Effect::Deny => return Verdict::Deny(index),
                Effect::Allow => match verdict {
                    Verdict::Allow(_, found) if found >= strength => {}
                    Verdict::Allow(..) | Verdict::Deny(_) | Verdict::Silence => {
                        verdict = Verdict::Allow(index, strength);
                    }
                },
            }
        }
        verdict
    }
}

impl From<&Document> for Policy {
    fn from(document: &Document) -> Self {
        Self::bound(document, &|_| None)
    }
}

impl Statement {
    fn compile(statement: &document::Statement, document: &Document, ids: Ids<'_>) -> Self {
        let version = document.version;
        let resource = |text: &String| ResourcePattern::compile(text, version);
        // Without actions or resources it has no effect. To except nothing is to mean everything: so it is read where it denies.
        let means_everything =
            |listed: &[String], except| listed.is_empty() && except && statement.effect == Effect::Deny;
        let any = [String::from("*")];
        let actions = if means_everything(&statement.actions, statement.except_actions) {
            Actions::compile(&any, false)
        } else {
            let except = statement.except_actions && !statement.actions.is_empty();
            Actions::compile(&statement.actions, except)
        };
        // A trust policy is about its role alone.
        let all_resources = document.kind == Kind::Trust
            || means_everything(&statement.resources, statement.except_resources);
        let resources = if all_resources { &any[..] } else { &statement.resources };
        Self {
            sid: statement.sid.as_deref().map(Into::into),
            effect: statement.effect,
            principals: statement
                .principals
                .as_ref()
                .map(|principals| NamedPrincipals::compile(principals, statement.except_principals, ids)),
            actions,
            resources: resources.iter().map(resource).collect(),
            except_resources: statement.except_resources && !statement.resources.is_empty(),
            requirements: statement
                .conditions
                .iter()
                .map(|condition| Requirement::compile(condition, version))
                .collect(),
        }
    }

    /// Calls `with` for each key that it asks for.
    fn mention<'p>(&'p self, with: &mut dyn FnMut(&'p KeyName)) {
        self.resources.iter().for_each(|resource| resource.mention(with));
        self.requirements.iter().for_each(|requirement| requirement.mention(with));
    }

    /// How strongly this statement names the caller, if it is about the question. What cannot be decided does not allow, and
    /// does deny.
    fn covers(&self, question: &Question<'_>) -> Option<Strength> {
        let strength = self.strength(question)?;
        if !self.covers_action(question) {
            return None;
        }
        let about = self.covers_resource(question);
        if about == Truth::No {
            return None;
        }
        let counts = match all_hold(&self.requirements, self.effect, question.scope) {
            Truth::Yes => about == Truth::Yes || self.hopes(question),
            Truth::Open => self.hopes(question),
            Truth::No | Truth::Undecidable => false,
        };
        counts.then_some(strength)
    }

    /// Whether this statement is taken to be about the question where that is not known.
    fn hopes(&self, question: &Question<'_>) -> bool {
        question.hopes == (self.effect == Effect::Allow)
    }

    /// The actions of the table that it is about, as bits.
    pub(crate) fn known_actions(&self) -> u64 {
        self.actions.known
    }

    pub(crate) fn covers_action(&self, question: &Question<'_>) -> bool {
        self.actions.cover(question.action)
    }

    /// How strongly it names the caller, if it does.
    pub(crate) fn strength(&self, question: &Question<'_>) -> Option<Strength> {
        let Some(principals) = &self.principals else { return Some(Strength::Direct) };
        // Documented: `NotPrincipal` that denies hits everybody who has a permissions boundary, whoever is listed.
        if principals.is_except() && self.effect == Effect::Deny && question.is_bounded {
            return Some(Strength::Direct);
        }
        // AWS: unverified. Whether `*` in a trust policy lets in who shows a token is not documented: it does not.
        if let Caller::WebIdentity { provider } = question.caller
            && self.effect == Effect::Allow
        {
            return principals.lists_provider(provider).then_some(Strength::Direct);
        }
        principals.strength(question.caller)
    }

    pub(crate) fn covers_resource(&self, question: &Question<'_>) -> Truth {
        let wide = (self.effect == Effect::Deny) != self.except_resources;
        let reach = if wide { Reach::Wide } else { Reach::Narrow };
        let matches = |pattern: &ResourcePattern| pattern.matches(question.resource, reach, question.scope);
        if self.resources.iter().any(matches) {
            return truth(!self.except_resources);
        }
        // A pattern that depends on what is not known does not match, and is not known not to.
        let is_open = |pattern: &ResourcePattern| pattern.is_open(question.scope);
        if question.scope.context.is_open() && self.resources.iter().any(is_open) {
            return Truth::Open;
        }
        truth(self.except_resources)
    }
}
