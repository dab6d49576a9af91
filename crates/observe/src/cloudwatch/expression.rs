//! Metric math: from the text of an expression to its tree.
//!
//! Arithmetic, comparison, `AND`, `OR`, lists, and the functions of [`Function`]. What is known to CloudWatch and not computed
//! here (`SEARCH`, `ANOMALY_DETECTION_BAND`, queries in SQL, …) is refused by name. Source:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>.

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// A function of what is between its parentheses.
    Call(Function, Vec<Node>),
    /// What the query of this id is.
    Id(String),
    /// Several series.
    List(Vec<Node>),
    /// The opposite number.
    Negative(Box<Node>),
    /// A number.
    Number(f64),
    /// Two parts and what is between them.
    Pair(Operator, Box<(Node, Node)>),
    /// A text.
    Text(String),
}

/// What stands between two parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operator {
    Add,
    And,
    Divide,
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Multiply,
    NotEqual,
    Or,
    Power,
    Subtract,
}

macro_rules! functions {
    ($($function:ident = $name:literal,)+) => {
        /// A function.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Function {
            $(#[doc = concat!("`", $name, "`")] $function,)+
        }

        impl Function {
            fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$function),)+
                    _ => None,
                }
            }

            /// Its name.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$function => $name,)+
                }
            }
        }
    };
}

functions! {
    Abs = "ABS",
    Average = "AVG",
    Ceil = "CEIL",
    DatapointCount = "DATAPOINT_COUNT",
    Difference = "DIFF",
    Fill = "FILL",
    First = "FIRST",
    Floor = "FLOOR",
    If = "IF",
    Last = "LAST",
    Log = "LOG",
    Log10 = "LOG10",
    Maximum = "MAX",
    MetricCount = "METRIC_COUNT",
    Metrics = "METRICS",
    Minimum = "MIN",
    Period = "PERIOD",
    Rate = "RATE",
    RunningSum = "RUNNING_SUM",
    StandardDeviation = "STDDEV",
    Sum = "SUM",
    TimeSeries = "TIME_SERIES",
}

/// The text is no expression that can be computed here.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ExpressionError {
    #[error("the expression ends too early")]
    End,
    #[error("the function {0} is not supported")]
    Function(String),
    #[error("the expression is nested too deep")]
    Nested,
    #[error("unexpected `{0}` at position {1}")]
    Unexpected(String, usize),
}

/// Reads an expression.
///
/// # Errors
/// Where it is none, or asks for what is not supported.
pub(crate) fn parse(text: &str) -> Result<Node, ExpressionError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let node = parser.any_of(Level::Or)?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.unexpected()),
    }
}

/// The ids that an expression names.
pub(crate) fn ids<'n>(node: &'n Node, found: &mut Vec<&'n str>) {
    match node {
        // The second argument says how to fill, and may be a word.
        Node::Call(Function::Fill, arguments) => {
            arguments.iter().take(1).for_each(|argument| ids(argument, found));
            arguments
                .iter()
                .skip(1)
                .filter(|argument| !is_way_to_fill(argument))
                .for_each(|argument| ids(argument, found));
        }
        Node::Call(_, parts) | Node::List(parts) => parts.iter().for_each(|part| ids(part, found)),
        Node::Id(id) => found.push(id),
        Node::Negative(part) => ids(part, found),
        Node::Number(_) | Node::Text(_) => {}
        Node::Pair(_, parts) => {
            ids(&parts.0, found);
            ids(&parts.1, found);
        }
    }
}

/// Whether an expression asks for all metrics, of whatever id.
pub(crate) fn asks_for_metrics(node: &Node) -> bool {
    match node {
        Node::Call(Function::Metrics, _) => true,
        Node::Call(_, parts) | Node::List(parts) => parts.iter().any(asks_for_metrics),
        Node::Negative(part) => asks_for_metrics(part),
        Node::Pair(_, parts) => asks_for_metrics(&parts.0) || asks_for_metrics(&parts.1),
        Node::Id(_) | Node::Number(_) | Node::Text(_) => false,
    }
}

fn is_way_to_fill(node: &Node) -> bool {
    matches!(node, Node::Id(word) if word == "REPEAT" || word == "LINEAR")
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Sign(&'static str),
    Text(String),
    Word(String),
}

/// Signs, a longer one before one that it begins with.
const SIGNS: [&str; 19] =
    ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "^", "(", ")", "[", "]", ",", "="];

fn tokens(text: &str) -> Result<Vec<(Token, usize)>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let unexpected = || ExpressionError::Unexpected(first.to_string(), at);
        let (token, length) = if first.is_ascii_digit() || first == '.' {
            let length = number_length(rest);
            let number = rest.get(..length).and_then(|number| number.parse().ok()).ok_or_else(unexpected)?;
            (Token::Number(number), length)
        } else if first.is_ascii_alphabetic() || first == '_' {
            let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let length = rest.find(|c: char| !is_inner(c)).unwrap_or(rest.len());
            (Token::Word(rest.get(..length).unwrap_or_default().to_owned()), length)
        } else if matches!(first, '"' | '\'') {
            let inner = rest.get(1..).unwrap_or_default();
            let end = inner.find(first).ok_or(ExpressionError::End)?;
            (Token::Text(inner.get(..end).unwrap_or_default().to_owned()), end + 2)
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign)).ok_or_else(unexpected)?;
            (Token::Sign(sign), sign.len())
        };
        tokens.push((token, at));
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// How long the number is that a text begins with.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + signed);
        if exponent > 0 {
            length += 1 + signed + exponent;
        }
    }
    length
}

/// What binds how tightly, the loosest first.
#[derive(Clone, Copy)]
enum Level {
    Or,
    And,
    Comparison,
    Sum,
    Product,
    Power,
}

impl Level {
    const fn tighter(self) -> Option<Self> {
        match self {
            Self::Or => Some(Self::And),
            Self::And => Some(Self::Comparison),
            Self::Comparison => Some(Self::Sum),
            Self::Sum => Some(Self::Product),
            Self::Product => Some(Self::Power),
            Self::Power => None,
        }
    }

    fn operator(self, token: &Token) -> Option<Operator> {
        let sign = match token {
            Token::Sign(sign) => *sign,
            Token::Word(word) => word.as_str(),
            Token::Number(_) | Token::Text(_) => return None,
        };
        match (self, sign) {
            (Self::Or, "||" | "OR") => Some(Operator::Or),
            (Self::And, "&&" | "AND") => Some(Operator::And),
            (Self::Comparison, "==") => Some(Operator::Equal),
            (Self::Comparison, "!=") => Some(Operator::NotEqual),
            (Self::Comparison, "<") => Some(Operator::Less),
            (Self::Comparison, "<=") => Some(Operator::LessOrEqual),
            (Self::Comparison, ">") => Some(Operator::Greater),
            (Self::Comparison, ">=") => Some(Operator::GreaterOrEqual),
            (Self::Sum, "+") => Some(Operator::Add),
            (Self::Sum, "-") => Some(Operator::Subtract),
            (Self::Product, "*") => Some(Operator::Multiply),
            (Self::Product, "/") => Some(Operator::Divide),
            (Self::Power, "^") => Some(Operator::Power),
            _ => None,
        }
    }
}

struct Parser<'t> {
    tokens: &'t [(Token, usize)],
    at: usize,
    depth: usize,
}

/// The deepest nesting.
const DEPTH: usize = 32;

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn unexpected(&self) -> ExpressionError {
        let Some((token, at)) = self.tokens.get(self.at) else { return ExpressionError::End };
        let text = match token {
            Token::Number(number) => number.to_string(),
            Token::Sign(sign) => (*sign).to_owned(),
            Token::Text(text) | Token::Word(text) => text.clone(),
        };
        ExpressionError::Unexpected(text, *at)
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_next =
            self.peek() == Some(&Token::Sign(SIGNS.iter().find(|known| **known == sign).unwrap_or(&"")));
        self.at += usize::from(is_next);
        is_next
    }

    fn demand(&mut self, sign: &str) -> Result<(), ExpressionError> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn any_of(&mut self, level: Level) -> Result<Node, ExpressionError> {
        let mut left = self.tighter(level)?;
        while let Some(operator) = self.peek().and_then(|token| level.operator(token)) {
            self.at += 1;
            let right = self.tighter(level)?;
            left = Node::Pair(operator, Box::new((left, right)));
        }
        Ok(left)
    }

    fn tighter(&mut self, level: Level) -> Result<Node, ExpressionError> {
        match level.tighter() {
            Some(tighter) => self.any_of(tighter),
            None => self.one(),
        }
    }

    fn one(&mut self) -> Result<Node, ExpressionError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(ExpressionError::Nested);
        }
        let node = self.one_within()?;
        self.depth -= 1;
        Ok(node)
    }

    fn one_within(&mut self) -> Result<Node, ExpressionError> {
        if self.take("-") {
            return Ok(Node::Negative(Box::new(self.one()?)));
        }
        if self.take("(") {
            let node = self.any_of(Level::Or)?;
            self.demand(")")?;
            return Ok(node);
        }
        if self.take("[") {
            return Ok(Node::List(self.several("]")?));
        }
        let node = match self.peek() {
            Some(Token::Number(number)) => Node::Number(*number),
            Some(Token::Text(text)) => Node::Text(text.clone()),
            Some(Token::Word(word)) => Node::Id(word.clone()),
            Some(Token::Sign(_)) | None => return Err(self.unexpected()),
        };
        self.at += 1;
        let Node::Id(name) = &node else { return Ok(node) };
        if name == "SELECT" {
            return Err(ExpressionError::Function(name.clone()));
        }
        if !self.take("(") {
            return Ok(node);
        }
        let function = Function::from_name(name).ok_or_else(|| ExpressionError::Function(name.clone()))?;
        Ok(Node::Call(function, self.several(")")?))
    }

    /// Parts between commas, until `end`.
    fn several(&mut self, end: &str) -> Result<Vec<Node>, ExpressionError> {
        let mut parts = Vec::new();
        if self.take(end) {
            return Ok(parts);
        }
        loop {
            parts.push(self.any_of(Level::Or)?);
            if self.take(end) {
                return Ok(parts);
            }
            self.demand(",")?;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// With every pair in parentheses.
    fn shown(node: &Node) -> String {
        let list = |parts: &[Node]| parts.iter().map(shown).collect::<Vec<_>>().join(",");
        match node {
            Node::Call(function, parts) => format!("{}({})", function.name(), list(parts)),
            Node::Id(id) => id.clone(),
            Node::List(parts) => format!("[{}]", list(parts)),
            Node::Negative(part) => format!("-{}", shown(part)),
            Node::Number(number) => number.to_string(),
            Node::Pair(operator, parts) => format!("({} {operator:?} {})", shown(&parts.0), shown(&parts.1)),
            Node::Text(text) => format!("'{text}'"),
        }
    }

    #[test]
    fn an_expression_is_read_as_it_binds() {
        for (text, expected) in [
            ("m1", "m1"),
            ("1+2*3", "(1 Add (2 Multiply 3))"),
            ("(1+2)*3", "((1 Add 2) Multiply 3)"),
            ("8-4-2", "((8 Subtract 4) Subtract 2)"),
            ("-m1^2", "(-m1 Power 2)"),
            ("100*m1/(m1+m2)", "((100 Multiply m1) Divide (m1 Add m2))"),
            (
                "m1 > 1 AND m2 <= .5 || m3 == 1e3",
                "(((m1 Greater 1) And (m2 LessOrEqual 0.5)) Or (m3 Equal 1000))",
            ),
            ("SUM(METRICS())", "SUM(METRICS())"),
            ("SUM([m1, m2])", "SUM([m1,m2])"),
            ("METRICS(\"err\")", "METRICS('err')"),
            ("IF(FILL(m1,0) > 2, m1, 0)", "IF((FILL(m1,0) Greater 2),m1,0)"),
            ("FILL(m1, REPEAT)", "FILL(m1,REPEAT)"),
        ] {
            assert_eq!(parse(text).map(|node| shown(&node)).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused_by_its_place() {
        let deep = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
        let unexpected = |text: &str, at| Err(ExpressionError::Unexpected(text.to_owned(), at));
        for (text, expected) in [
            ("", Err(ExpressionError::End)),
            ("m1 +", Err(ExpressionError::End)),
            ("SUM(m1", Err(ExpressionError::End)),
            ("'m1", Err(ExpressionError::End)),
            ("m1 m2", unexpected("m2", 3)),
            ("m1 = 2", unexpected("=", 3)),
            ("* 2", unexpected("*", 0)),
            ("m1 # 2", unexpected("#", 3)),
            ("SEARCH('a', 'Sum')", Err(ExpressionError::Function("SEARCH".to_owned()))),
            ("SELECT AVG(a) FROM b", Err(ExpressionError::Function("SELECT".to_owned()))),
            (&deep(40), Err(ExpressionError::Nested)),
        ] {
            assert_eq!(parse(text).map(drop), expected, "{text}");
        }
        assert!(parse(&deep(20)).is_ok());
    }

    #[test]
    fn the_ids_of_an_expression_are_those_of_queries() {
        let node = parse("FILL(m1, REPEAT) + SUM([m2, -m3]) * IF(m4 > 1, 2, e1)").unwrap();
        let mut found = Vec::new();
        ids(&node, &mut found);
        assert_eq!(found, ["m1", "m2", "m3", "m4", "e1"]);
        assert!(!asks_for_metrics(&node));
        assert!(asks_for_metrics(&parse("1 + SUM(METRICS())").unwrap()));
    }

    proptest! {
        #[test]
        fn a_reader_of_arbitrary_text_does_not_panic(text in "[a-zA-Z0-9 .,()\\[\\]+*/^<>=!&|'\"ä-]{0,48}") {
            let _ignored = parse(&text).is_ok();
        }
    }
}
