//! A right to one operation is none to another: each operation is asked for by users who may do one single other thing.
//!
//! Peers have let callers in because the right for another operation than the one that ran was looked at.

use std::collections::BTreeMap;

use keyreeve_kms::is_supported;
use keyreeve_testkit::{Has, World, body};
use keyreeve_wire::Operation;

/// What an operation asks of policies; its own name where nothing else is said.
fn actions(operation: Operation) -> Vec<String> {
    if operation == Operation::ReEncrypt {
        return vec!["kms:ReEncryptFrom".to_owned(), "kms:ReEncryptTo".to_owned()];
    }
    vec![format!("kms:{}", operation.name())]
}

#[test]
fn a_right_to_one_operation_is_none_to_another() {
    let supported: Vec<_> =
        Operation::ALL.iter().copied().filter(|operation| is_supported(*operation)).collect();
    let mut asked = 0;
    for operation in &supported {
        let world = World::default();
        let of = world.fixture_for(*operation);
        let needed = actions(*operation);
        let all =
            supported.iter().flat_map(|other| actions(*other)).filter(|action| !needed.contains(action));
        for (number, action) in all.enumerate() {
            let user =
                world.user_with(world.root.account(), &format!("user-{number}"), Has::allowed(&action, "*"));
            let before: BTreeMap<_, _> =
                world.dump().into_iter().map(|(path, entry)| (path.to_string(), entry)).collect();
            let (status, answer) = world.call_as(&user, *operation, body(*operation, &of));
            let code = answer.get("__type").and_then(|code| code.as_str()).unwrap_or_default();
            assert_eq!(
                (status, code),
                (400, "AccessDeniedException"),
                "{operation} by one who may {action}: {answer}"
            );
            let after = world.dump().into_iter().map(|(path, entry)| (path.to_string(), entry)).collect();
            assert!(before == after, "{operation} by one who may {action} changed something");
            asked += 1;
        }
    }
    assert!(asked > 1500, "{asked}");
}
