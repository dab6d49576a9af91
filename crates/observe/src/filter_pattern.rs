//! Filter patterns of CloudWatch Logs: which events a search is for.
//!
//! A pattern is bounded in length and depth, and is held against one event in time that is bounded by both.
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>.

use core::iter::Peekable;
use core::str::Chars;

use serde_json::Value;

/// The text is no filter pattern.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("Invalid filter pattern")]
pub struct FilterPatternError;

/// A filter pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterPattern {
    /// Everything.
    All,
    /// Terms of the text: all of the first must be there, none of the second, and one of the third unless there are none.
    Terms {
        /// Must be there.
        all: Vec<String>,
        /// Must not be there.
        none: Vec<String>,
        /// One of them must be there.
        any: Vec<String>,
    },
    /// A condition on members of the JSON.
    Json(Condition),
}

/// A condition on members of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Both hold.
    And(Box<Condition>, Box<Condition>),
    /// One holds.
    Or(Box<Condition>, Box<Condition>),
    /// A member is what is said.
    Is(Selector, Test),
}

/// Which member: names and places in lists, from the outside in.
pub type Selector = Vec<Step>;

/// One step of a selector.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Into a member.
    Member(String),
    /// Into an element of a list; into any where there is none.
    Element(Option<usize>),
}

/// What a member is held against.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It is there and is not, or is, what the text says, `*` standing for anything.
    Text(String, bool),
    /// It is a number that stands so to this one.
    Number(Order, f64),
    /// It is null.
    Null,
    /// It is true, or false.
    Truth(bool),
    /// It is not there.
    Missing,
}

/// How two numbers stand to each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `=`
    Same,
    /// `!=`
    Other,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

/// The longest pattern, in characters.
const LONGEST: usize = 1024;
/// The deepest nesting of parentheses.
const DEEPEST: usize = 32;

impl FilterPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where the text is none. Patterns for columns, `[a, b]`, are none here: events are JSON.
    pub fn parse(text: &str) -> Result<Self, FilterPatternError> {
        let text = text.trim();
        if text.chars().count() > LONGEST || text.starts_with('[') {
            return Err(FilterPatternError);
        }
        if text.is_empty() {
            return Ok(Self::All);
        }
        let Some(inner) = text.strip_prefix('{') else { return terms(text) };
        let inner = inner.strip_suffix('}').ok_or(FilterPatternError)?;
        let mut reader = Reader { rest: inner.chars().peekable() };
        let condition = reader.any(0)?;
        reader.skip();
        if reader.rest.peek().is_some() { Err(FilterPatternError) } else { Ok(Self::Json(condition)) }
    }

    /// Whether an event is meant.
    #[must_use]
    pub fn meets(&self, json: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Terms { all, none, any } => {
                let text = String::from_utf8_lossy(json);
                let has = |term: &String| text.contains(term.as_str());
                all.iter().all(has) && !none.iter().any(has) && (any.is_empty() || any.iter().any(has))
            }
            Self::Json(condition) => {
                serde_json::from_slice(json).is_ok_and(|event: Value| condition.holds(&event))
            }
        }
    }

    /// What a member must be for the pattern to hold, where the pattern says that of it.
    #[must_use]
    pub fn demands(&self, member: &str) -> Option<&str> {
        match self {
            Self::Json(condition) => condition.demands(member),
            Self::All | Self::Terms { .. } => None,
        }
    }
}

impl Condition {
    fn holds(&self, event: &Value) -> bool {
        match self {
            Self::And(one, other) => one.holds(event) && other.holds(event),
            Self::Or(one, other) => one.holds(event) || other.holds(event),
            Self::Is(selector, test) => {
                let mut found = Vec::new();
                select(event, selector, &mut found);
                match found.is_empty() {
                    true => *test == Test::Missing,
                    false => found.into_iter().any(|value| test.holds(value)),
                }
            }
        }
    }

    fn demands(&self, member: &str) -> Option<&str> {
        match self {
            Self::And(one, other) => one.demands(member).or_else(|| other.demands(member)),
            Self::Is(selector, Test::Text(text, true)) if !text.contains('*') => {
                matches!(selector.as_slice(), [Step::Member(name)] if name == member).then_some(text.as_str())
            }
            Self::Is(..) | Self::Or(..) => None,
        }
    }
}

fn select<'v>(value: &'v Value, selector: &[Step], found: &mut Vec<&'v Value>) {
    match selector.split_first() {
        None => found.push(value),
        Some((Step::Member(name), rest)) => {
            if let Some(value) = value.get(name) {
                select(value, rest, found);
            }
        }
        Some((Step::Element(Some(at)), rest)) => {
            if let Some(value) = value.get(at) {
                select(value, rest, found);
            }
        }
        Some((Step::Element(None), rest)) => {
            value.as_array().into_iter().flatten().for_each(|value| select(value, rest, found));
        }
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Text(pattern, wanted) => {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Bool(_) | Value::Number(_) => value.to_string(),
                    Value::Array(_) | Value::Null | Value::Object(_) => return false,
                };
                matches(pattern, &text) == *wanted
            }
            Self::Number(order, number) => value.as_f64().is_some_and(|value| match order {
                Order::Below => value < *number,
                Order::AtMost => value <= *number,
                Order::Same => value == *number,
                Order::Other => value != *number,
                Order::AtLeast => value >= *number,
                Order::Above => value > *number,
            }),
            Self::Null => value.is_null(),
            Self::Truth(truth) => value.as_bool() == Some(*truth),
            Self::Missing => false,
        }
    }
}

/// Whether `text` is `pattern`, in which `*` stands for anything: one pass for each star, from left to right.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(part) = last.replace(part) {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    match last {
        None => rest.is_empty(),
        Some(last) => rest.ends_with(last),
    }
}

/// Terms, in quotes where they have spaces.
fn terms(text: &str) -> Result<FilterPattern, FilterPatternError> {
    let (mut all, mut none, mut any) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader = Reader { rest: text.chars().peekable() };
    loop {
        reader.skip();
        let list = match reader.rest.peek() {
            None => return Ok(FilterPattern::Terms { all, none, any }),
            Some('-') => &mut none,
            Some('?') => &mut any,
            Some(_) => &mut all,
        };
        if matches!(reader.rest.peek(), Some('-' | '?')) {
            reader.rest.next();
        }
        let term = match reader.rest.peek() {
            Some('"') => reader.quoted()?,
            _ => reader.word(|c| !c.is_whitespace() && c != '"'),
        };
        if term.is_empty() {
            return Err(FilterPatternError);
        }
        list.push(term);
    }
}

/// Reads the pattern from left to right.
struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    fn skip(&mut self) {
        while self.rest.next_if(|c| c.is_whitespace()).is_some() {}
    }

    fn is_next(&mut self, wanted: char) -> bool {
        self.skip();
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<(), FilterPatternError> {
        if self.rest.next_if_eq(&wanted).is_some() { Ok(()) } else { Err(FilterPatternError) }
    }

    fn word(&mut self, is_of: impl Fn(char) -> bool) -> String {
        let mut word = String::new();
        while let Some(c) = self.rest.next_if(|c| is_of(*c)) {
            word.push(c);
        }
        word
    }

    fn quoted(&mut self) -> Result<String, FilterPatternError> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            match self.rest.next().ok_or(FilterPatternError)? {
                '"' => return Ok(text),
                '\\' => text.push(self.rest.next().ok_or(FilterPatternError)?),
                c => text.push(c),
            }
        }
    }

    /// Conditions of which one holds.
    fn any(&mut self, depth: usize) -> Result<Condition, FilterPatternError> {
        let mut condition = self.all(depth)?;
        while self.is_next('|') {
            self.expect('|')?;
            condition = Condition::Or(Box::new(condition), Box::new(self.all(depth)?));
        }
        Ok(condition)
    }

    /// Conditions that all hold.
    fn all(&mut self, depth: usize) -> Result<Condition, FilterPatternError> {
        let mut condition = self.one(depth)?;
        while self.is_next('&') {
            self.expect('&')?;
            condition = Condition::And(Box::new(condition), Box::new(self.one(depth)?));
        }
        Ok(condition)
    }

    fn one(&mut self, depth: usize) -> Result<Condition, FilterPatternError> {
        if depth >= DEEPEST {
            return Err(FilterPatternError);
        }
        if self.is_next('(') {
            let condition = self.any(depth + 1)?;
            return if self.is_next(')') { Ok(condition) } else { Err(FilterPatternError) };
        }
        let selector = self.selector()?;
        Ok(Condition::Is(selector, self.test()?))
    }

    fn selector(&mut self) -> Result<Selector, FilterPatternError> {
        if !self.is_next('$') {
            return Err(FilterPatternError);
        }
        let mut steps = Vec::new();
        loop {
            if self.rest.next_if_eq(&'.').is_some() {
                let name = self.word(|c| c.is_alphanumeric() || "_-:/@".contains(c));
                steps.push(Step::Member(name));
            } else if self.rest.next_if_eq(&'[').is_some() {
                let step = match self.rest.peek() {
                    Some('"') => Step::Member(self.quoted()?),
                    Some('*') => {
                        self.expect('*')?;
                        Step::Element(None)
                    }
                    _ => {
                        let at = self.word(|c| c.is_ascii_digit());
                        Step::Element(Some(at.parse().or(Err(FilterPatternError))?))
                    }
                };
                self.expect(']')?;
                steps.push(step);
            } else if steps.is_empty() || steps.contains(&Step::Member(String::new())) {
                return Err(FilterPatternError);
            } else {
                return Ok(steps);
            }
        }
    }

    fn test(&mut self) -> Result<Test, FilterPatternError> {
        self.skip();
        let sign = self.word(|c| "=!<>".contains(c));
        let order = match sign.as_str() {
            "=" => Order::Same,
            "!=" => Order::Other,
            "<" => Order::Below,
            "<=" => Order::AtMost,
            ">" => Order::Above,
            ">=" => Order::AtLeast,
            "" => return self.keyword(),
            _ => return Err(FilterPatternError),
        };
        self.skip();
        let is_quoted = self.rest.peek() == Some(&'"');
        let text = match is_quoted {
            true => self.quoted()?,
            false => self.word(|c| !c.is_whitespace() && !"()&|\"".contains(c)),
        };
        let number = text.parse::<f64>().ok().filter(|number| !is_quoted && number.is_finite());
        match (order, number) {
            _ if text.is_empty() && !is_quoted => Err(FilterPatternError),
            (order, Some(number)) => Ok(Test::Number(order, number)),
            (Order::Same, None) => Ok(Test::Text(text, true)),
            (Order::Other, None) => Ok(Test::Text(text, false)),
            (Order::Below | Order::AtMost | Order::AtLeast | Order::Above, None) => Err(FilterPatternError),
        }
    }

    /// `IS NULL`, `IS TRUE`, `IS FALSE`, `NOT EXISTS`.
    fn keyword(&mut self) -> Result<Test, FilterPatternError> {
        let mut word = || {
            self.skip();
            self.word(|c| c.is_ascii_alphabetic()).to_ascii_uppercase()
        };
        match (word().as_str(), word().as_str()) {
            ("IS", "NULL") => Ok(Test::Null),
            ("IS", "TRUE") => Ok(Test::Truth(true)),
            ("IS", "FALSE") => Ok(Test::Truth(false)),
            ("NOT", "EXISTS") => Ok(Test::Missing),
            _ => Err(FilterPatternError),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENT: &str = r#"{"eventSource":"kms.amazonaws.com","eventName":"Decrypt","readOnly":true,"count":5,
        "errorCode":null,"text":"12","userIdentity":{"type":"Root","arn":"arn:aws:iam::000000000000:root"},
        "resources":[{"ARN":"arn:one"},{"ARN":"arn:two"}]}"#;

    #[test]
    fn a_pattern_is_for_what_it_says() {
        for (pattern, meant) in [
            ("", true),
            ("{ $.eventSource = kms.amazonaws.com }", true),
            (r#"{ $.eventSource = "kms.amazonaws.com" }"#, true),
            ("{$.eventSource=kms.amazonaws.com}", true),
            ("{ $.eventSource = iam.amazonaws.com }", false),
            ("{ $.eventSource != iam.amazonaws.com }", true),
            ("{ $.nothing != iam.amazonaws.com }", false),
            ("{ $.eventSource = kms.* }", true),
            ("{ $.eventSource = *.amazonaws.* }", true),
            ("{ $.eventSource = *s3* }", false),
            ("{ $.eventName = Decrypt && $.count > 4 }", true),
            ("{ ($.eventName = Encrypt) || ($.eventName = Decrypt) }", true),
            ("{ $.eventName = Encrypt || $.eventName = Decrypt && $.count = 4 }", false),
            ("{ $.count >= 5 && $.count <= 5.0 && $.count != 4 }", true),
            ("{ $.count < 5 }", false),
            ("{ $.text > 4 }", false),
            (r#"{ $.text = "12" }"#, true),
            ("{ $.readOnly IS TRUE }", true),
            ("{ $.readOnly is false }", false),
            ("{ $.errorCode IS NULL }", true),
            ("{ $.errorMessage NOT EXISTS }", true),
            ("{ $.errorCode NOT EXISTS }", false),
            ("{ $.userIdentity.type = Root }", true),
            ("{ $.resources[1].ARN = arn:two }", true),
            ("{ $.resources[2].ARN = arn:two }", false),
            ("{ $.resources[*].ARN = arn:two }", true),
            (r#"{ $["eventName"] = Decrypt }"#, true),
            ("Decrypt", true),
            ("Decrypt Encrypt", false),
            ("?Decrypt ?Encrypt", true),
            ("Decrypt -Root", false),
            (r#""kms.amazonaws.com" -Encrypt"#, true),
        ] {
            let parsed = FilterPattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(parsed.meets(EVENT.as_bytes()), meant, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(40), ")".repeat(40));
        for text in [
            "{",
            "{}",
            "{ $ = 1 }",
            "{ $. = 1 }",
            "{ $.a }",
            "{ $.a = }",
            "{ $.a == 1 }",
            "{ $.a < x }",
            "{ a = 1 }",
            "{ $.a = 1 && }",
            "{ $.a = 1 & $.b = 2 }",
            "{ ($.a = 1 }",
            "{ $.a[x] = 1 }",
            "{ $.a IS MAYBE }",
            "[a, b]",
            "\"open",
            "-",
            "{ $.a = \"open }",
            deep.as_str(),
        ] {
            assert_eq!(FilterPattern::parse(text), Err(FilterPatternError), "{text}");
        }
        assert_eq!(FilterPattern::parse(&"a".repeat(1025)), Err(FilterPatternError));
    }

    #[test]
    fn what_must_hold_is_known() {
        for (pattern, demanded) in [
            ("{ $.eventName = Decrypt && $.count > 4 }", Some("Decrypt")),
            ("{ $.eventName = Decrypt || $.count > 4 }", None),
            ("{ $.eventName = Dec* }", None),
            ("{ $.eventName != Decrypt }", None),
            ("Decrypt", None),
        ] {
            assert_eq!(FilterPattern::parse(pattern).unwrap().demands("eventName"), demanded, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "[\\[\\](){}$.a*\"\\\\ =!<>&|?1-]{0,60}", json in "\\PC{0,40}") {
            // Whatever it is taken for: it is read and held against an event to the end.
            drop(FilterPattern::parse(&text).map(|pattern| pattern.meets(json.as_bytes())));
        }

        #[test]
        fn stars_stand_for_anything(parts in prop::collection::vec("[ab]{0,3}", 1..5), between in "[abc]{0,4}") {
            prop_assert!(matches(&parts.join("*"), &parts.join(&between)));
        }
    }
}
