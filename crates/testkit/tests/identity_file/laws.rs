//! Laws of all declarations.

use keyreeve_core::identity::space;
use keyreeve_core::record::TagRecord;
use keyreeve_identity::declared::declaration::{Declaration, Group, ManagedPolicy, Role, User};
use keyreeve_identity::declared::examine;
use keyreeve_store::conformance::block_on;
use keyreeve_testkit::World;
use proptest::prelude::*;

use crate::given::*;

/// A declaration of what `bits` say, in this order or the reverse.
fn drawn(bits: &[u8], is_reversed: bool) -> Declaration {
    let bit = |at: usize| bits[at % bits.len()] >> (at / bits.len() % 8) & 1 == 1;
    let mut accounts = Vec::new();
    for (number, id) in [OWN, THIRD].into_iter().enumerate() {
        let at = |what: usize| bit(number * 61 + what);
        let mut own = empty(id);
        let text = |what| if at(what) { ALLOW } else { DENY };
        let path = |what| if at(what) { "/a/" } else { "/" };
        if at(0) {
            own.policies.push(ManagedPolicy { path: path(1).into(), ..policy("p", text(2)) });
        }
        if at(3) {
            own.policies.push(policy("q", text(4)));
        }
        let mut attached: Vec<_> = own
            .policies
            .iter()
            .map(|policy| arn(id, &format!("policy{}{}", policy.path, policy.name)))
            .collect();
        attached.push(ADMINISTRATOR.into());
        let boundary = attached[0].clone();
        if is_reversed {
            attached.reverse();
        }
        let some = |what| if at(what) { attached.clone() } else { Vec::new() };
        for (index, name) in ["g", "h"].into_iter().enumerate() {
            if at(5 + index) {
                own.groups.push(Group { path: path(7).into(), attached: some(8 + index), ..group(name) });
            }
        }
        for (index, name) in ["u", "v", "w"].into_iter().enumerate() {
            if !at(10 + index) {
                continue;
            }
            let mut groups: Vec<_> =
                own.groups.iter().map(|group| group.name.clone()).filter(|_| at(13 + index)).collect();
            let tag = |key: &str| TagRecord { key: key.into(), value: text(16).into() };
            let mut tags = if at(17) { vec![tag("one"), tag("two")] } else { Vec::new() };
            for tag in &mut tags {
                tag.value.truncate(0);
            }
            if is_reversed {
                groups.reverse();
                tags.reverse();
            }
            let secret = if at(18) { "secret/one" } else { "secret/two" };
            let key = access_key(&format!("AKIA0000000000{number}{}{name}", u8::from(at(19))), secret);
            own.users.push(User {
                path: path(20).into(),
                attached: some(21 + index),
                boundary: at(24 + index).then(|| boundary.clone()),
                groups,
                tags,
                access_keys: if at(27 + index) { vec![key] } else { Vec::new() },
                ..user(name)
            });
        }
        for (index, name) in ["r", "s"].into_iter().enumerate() {
            if at(30 + index) {
                let principal = own
                    .users
                    .first()
                    .map_or(id.to_owned(), |user| arn(id, &format!("user{}{}", user.path, user.name)));
                own.roles.push(Role { attached: some(32 + index), ..role(name, &principal) });
            }
        }
        if is_reversed {
            own.policies.reverse();
            own.groups.reverse();
            own.users.reverse();
            own.roles.reverse();
        }
        if number == 0 || at(40) {
            accounts.push(own);
        }
    }
    if is_reversed {
        accounts.reverse();
    }
    Declaration { accounts, ..Declaration::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_same_declaration_in_any_order_is_followed_once(bits in any::<[u8; 16]>()) {
        let world = World::default();
        follow(&world, &drawn(&bits, false)).unwrap();
        // The note says which of them it was.
        let others = || {
            let mut dump = world.dump();
            dump.retain(|(path, _)| *path != space::followed().unwrap());
            dump
        };
        let before = others();
        for is_reversed in [false, true] {
            let looked = block_on(examine(&world.service, world.now(), &drawn(&bits, is_reversed))).unwrap();
            prop_assert_eq!(looked.changes, 0);
            prop_assert_eq!(follow(&world, &drawn(&bits, is_reversed)), Ok(Vec::new()));
        }
        prop_assert_eq!(others(), before);
    }

    #[test]
    fn what_was_declared_before_does_not_matter(before in any::<[u8; 16]>(), after in any::<[u8; 16]>()) {
        let (world, fresh) = (World::default(), World::default());
        follow(&world, &drawn(&before, false)).unwrap();
        world.pass_days(1);
        follow(&world, &drawn(&after, true)).unwrap();
        follow(&fresh, &drawn(&after, false)).unwrap();
        prop_assert_eq!(shown(&world), shown(&fresh));
    }
}
