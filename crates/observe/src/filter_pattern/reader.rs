//! Reads filter patterns from left to right.

use core::iter::Peekable;
use core::str::Chars;

use super::condition::{Condition, Operand, Order, Selector, Step, Test};
use super::expression::Expression;
use super::{FilterPattern, FilterPatternError};

/// The deepest nesting of parentheses.
const DEEPEST: usize = 32;
/// Regular expressions of a pattern, at most.
const EXPRESSIONS_MOST: usize = 2;
/// Selectors of a pattern with a wildcard, at most; of one there is one at most.
const WILDCARDS_MOST: usize = 3;

/// Reads terms, in quotes where they have spaces.
pub(super) fn terms(text: &str) -> Result<FilterPattern, FilterPatternError> {
    let (mut all, mut none, mut any) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader = Reader::new(text);
    loop {
        reader.skip();
        let list = match reader.rest.peek() {
            None => break,
            Some('-') => &mut none,
            Some('?') => &mut any,
            Some(_) => &mut all,
        };
        if matches!(reader.rest.peek(), Some('-' | '?')) {
            reader.rest.next();
        }
        let term = match reader.rest.peek() {
            Some('"') => reader.quoted('"')?,
            _ => reader.term()?,
        };
        // Documented: a blank in quotes is in everything.
        list.push(if term.trim().is_empty() { String::new() } else { term });
    }
    if !all.is_empty() || !none.is_empty() {
        // Documented: optional terms beside others are ignored.
        any.clear();
    }
    Ok(FilterPattern::Terms { all, none, any })
}

/// Reads a regular expression that stands alone.
pub(super) fn expression(text: &str) -> Result<FilterPattern, FilterPatternError> {
    let mut reader = Reader::new(text);
    let expression = reader.expression()?;
    // AWS: unverified that none stands beside terms; its page says standalone.
    if reader.rest.peek().is_some() {
        return Err(FilterPatternError::Syntax);
    }
    Ok(FilterPattern::Expression(expression))
}

/// Reads a condition on members, without the braces around it.
pub(super) fn condition(text: &str) -> Result<FilterPattern, FilterPatternError> {
    let mut reader = Reader { end: "}", ..Reader::new(text) };
    let condition = reader.any(0)?;
    reader.skip();
    match reader.rest.peek() {
        None => Ok(FilterPattern::Json(condition)),
        Some(_) => Err(reader.unexpected()),
    }
}

/// Signs that stand in no pattern for JSON outside of quotes and words.
const STRAY: &str = ":,;#@~`?";

/// Whether a character stands for itself in a term without quotes.
///
/// AWS: unverified for dots and for hyphens within a term; its page says letters, digits and underscores.
fn is_of_term(c: char) -> bool {
    !c.is_ascii_punctuation() || "_.-".contains(c)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    /// What stands behind the text that is read.
    end: &'static str,
    expressions: usize,
    wildcards: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.chars().peekable(), end: "", expressions: 0, wildcards: 0 }
    }

    fn skip(&mut self) {
        while self.rest.next_if(|c| c.is_whitespace()).is_some() {}
    }

    fn is_next(&mut self, wanted: char) -> bool {
        self.skip();
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<(), FilterPatternError> {
        if self.rest.next_if_eq(&wanted).is_some() { Ok(()) } else { Err(FilterPatternError::Syntax) }
    }

    fn word(&mut self, is_of: impl Fn(char) -> bool) -> String {
        let mut word = String::new();
        while let Some(c) = self.rest.next_if(|c| is_of(*c)) {
            word.push(c);
        }
        word
    }

    /// The refusal of what comes next, which is named where it has no place in any pattern.
    fn unexpected(&mut self) -> FilterPatternError {
        let symbols = self.word(|c| c.is_ascii_punctuation() && !"(){}&|\"$".contains(c));
        if symbols.is_empty() { FilterPatternError::Syntax } else { FilterPatternError::Characters(symbols) }
    }

    /// A term without quotes.
    fn term(&mut self) -> Result<String, FilterPatternError> {
        let term = self.word(|c| !c.is_whitespace() && is_of_term(c));
        let others = self.word(|c| c != '"' && !is_of_term(c));
        match (term.is_empty(), others.is_empty()) {
            (_, false) => Err(FilterPatternError::Characters(others)),
            (true, true) => Err(FilterPatternError::Syntax),
            (false, true) => Ok(term),
        }
    }

    /// A text between two quotes of one kind.
    fn quoted(&mut self, quote: char) -> Result<String, FilterPatternError> {
        let begun = self.rest.clone();
        self.expect(quote)?;
        let mut text = String::new();
        loop {
            match self.rest.next() {
                Some('\\') => match self.rest.next() {
                    Some(c) => text.push(c),
                    None => return Err(self.endless(begun)),
                },
                Some(c) if c == quote => return Ok(text),
                Some(c) => text.push(c),
                None => return Err(self.endless(begun)),
            }
        }
    }

    /// The refusal of what begins here and has no end, which is named to the end of the pattern.
    fn endless(&self, begun: Peekable<Chars<'a>>) -> FilterPatternError {
        FilterPatternError::Characters(begun.chain(self.end.chars()).collect())
    }

    fn expression(&mut self) -> Result<Expression, FilterPatternError> {
        let begun = self.rest.clone();
        self.expect('%')?;
        self.expressions = self.expressions.saturating_add(1);
        let text = self.word(|c| c != '%');
        if self.rest.next().is_none() {
            // AWS: unverified; so it is with a quote.
            return Err(self.endless(begun));
        }
        match self.expressions > EXPRESSIONS_MOST {
            true => Err(FilterPatternError::Expressions),
            false => Expression::parse(&text),
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
            return Err(FilterPatternError::Syntax);
        }
        if self.is_next('(') {
            let condition = self.any(depth + 1)?;
            return if self.is_next(')') { Ok(condition) } else { Err(self.unexpected()) };
        }
        if self.rest.next_if_eq(&'!').is_some() {
            return Err(self.misplaced("!"));
        }
        let selector = self.selector()?;
        Ok(Condition::Is(selector, self.test()?))
    }

    /// The refusal of what comes next, where what was read of something can only go on otherwise.
    fn misplaced(&mut self, read: &str) -> FilterPatternError {
        FilterPatternError::Characters(read.chars().chain(self.rest.next()).collect())
    }

    /// The refusal of what is no member: the first sign outside of quotes that has no place in any pattern, if there is one.
    fn no_member(&mut self) -> FilterPatternError {
        let mut is_quoted = false;
        let stray = self.rest.find(|c| {
            is_quoted ^= *c == '"';
            !is_quoted && STRAY.contains(*c)
        });
        stray.map_or(FilterPatternError::Syntax, |c| FilterPatternError::Characters(c.to_string()))
    }

    /// `$.name`, `$.['name']`, `$.list[0]`, `$.list[*]`, `$.*`, and those behind each other.
    fn selector(&mut self) -> Result<Selector, FilterPatternError> {
        if !self.is_next('$') {
            return Err(self.no_member());
        }
        let mut steps = Vec::new();
        loop {
            let has_dot = self.rest.next_if_eq(&'.').is_some();
            let step = if self.rest.next_if_eq(&'[').is_some() {
                self.in_brackets()?
            } else if !has_dot {
                break;
            } else if self.rest.next_if_eq(&'*').is_some() {
                Step::AnyMember
            } else {
                let name = self.word(|c| c.is_alphanumeric() || "_-:/@".contains(c));
                if name.is_empty() && steps.is_empty() {
                    return Err(self.misplaced("$."));
                }
                Step::Member(name)
            };
            if step == Step::Member(String::new()) {
                return Err(FilterPatternError::Syntax);
            }
            steps.push(step);
        }
        let wildcards =
            steps.iter().filter(|step| matches!(step, Step::AnyElement | Step::AnyMember)).count();
        self.wildcards = self.wildcards.saturating_add(wildcards);
        match steps.is_empty() {
            true => Err(FilterPatternError::Syntax),
            false if wildcards > 1 => Err(FilterPatternError::WildcardsOfOne),
            false if self.wildcards > WILDCARDS_MOST => Err(FilterPatternError::Wildcards),
            false => Ok(steps),
        }
    }

    /// What stands in brackets, up to the one that closes.
    fn in_brackets(&mut self) -> Result<Step, FilterPatternError> {
        let step = match self.rest.peek() {
            Some('*') => {
                self.rest.next();
                Step::AnyElement
            }
            // Documented with single quotes; patterns with double ones are about, too.
            Some(quote @ ('\'' | '"')) => {
                let quote = *quote;
                Step::Member(self.quoted(quote)?)
            }
            _ => {
                let at = self.word(|c| c.is_ascii_digit());
                if at.is_empty() || self.rest.peek() != Some(&']') {
                    return Err(self.misplaced(&format!("[{at}")));
                }
                at.parse().map(Step::Element).or(Err(FilterPatternError::Syntax))?
            }
        };
        self.expect(']')?;
        Ok(step)
    }

    fn test(&mut self) -> Result<Test, FilterPatternError> {
        self.skip();
        let sign = self.word(|c| "=!<>".contains(c));
        let order = match sign.as_str() {
            "=" => return Ok(Test::Equals(self.operand()?, true)),
            "!=" => return Ok(Test::Equals(self.operand()?, false)),
            "<" => Order::Below,
            "<=" => Order::AtMost,
            ">" => Order::Above,
            ">=" => Order::AtLeast,
            "" => return self.keyword(),
            _ => return Err(FilterPatternError::Syntax),
        };
        match self.operand()? {
            Operand::Number(number, _) => Ok(Test::Number(order, number)),
            Operand::Expression(_) | Operand::Text(_) => Err(FilterPatternError::Syntax),
        }
    }

    /// What stands behind a sign.
    fn operand(&mut self) -> Result<Operand, FilterPatternError> {
        self.skip();
        match self.rest.peek() {
            Some('"') => return self.quoted('"').map(Operand::Text),
            Some('%') => return self.expression().map(Operand::Expression),
            Some(_) | None => {}
        }
        let text = self.word(|c| !c.is_whitespace() && !"()&|\",%".contains(c));
        match text.parse::<f64>().ok().filter(|number| number.is_finite()) {
            _ if text.is_empty() => Err(self.unexpected()),
            // It is a word of `IS NULL`.
            None if text.eq_ignore_ascii_case("null") => Err(FilterPatternError::Syntax),
            Some(number) => Ok(Operand::Number(number, text)),
            None => Ok(Operand::Text(text)),
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
            _ => Err(self.unexpected()),
        }
    }
}
