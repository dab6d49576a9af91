//! The declarations of this crate: one line for each member, with its type and its shape.
//!
//! A line reads `field: presence Type = "Name" SHAPE,`. In a request a member is `required`, `optional`, `default`
//! (absence is the empty value) or `unless_ignored` (required unless a dry run ignores the ciphertext); in an answer
//! it is `present` or `optional`, and `required` where the model says so. `shapes` is in scope where a declaration stands.

/// The Rust type of a member.
macro_rules! field_type {
    (required $type:ty) => { $type };
    (present $type:ty) => { $type };
    (default $type:ty) => { $type };
    (optional $type:ty) => { Option<$type> };
    (unless_ignored $type:ty) => { Option<$type> };
}

/// Whether the model requires a member.
macro_rules! is_required {
    (required) => {
        true
    };
    ($presence:ident) => {
        false
    };
}

/// A structure: `input` is read, `output` is written, `shared` is both.
macro_rules! structure {
    ($(#[$meta:meta])* shared $name:ident = $shape:literal { $($members:tt)* }) => {
        $crate::declare::structure!(@parameters $name { $($members)* });
        $crate::declare::structure!(@type [$(#[$meta])*] $name { $($members)* });
        $crate::declare::structure!(@read $name { $($members)* });
        $crate::declare::structure!(@write $name { $($members)* });
        $crate::declare::structure!(@nested_read $name);
    };
    ($(#[$meta:meta])* input $name:ident = $shape:literal { $($members:tt)* }) => {
        $crate::declare::structure!(@parameters $name { $($members)* });
        $crate::declare::structure!(@type [$(#[$meta])*] $name { $($members)* });
        $crate::declare::structure!(@read $name { $($members)* });
        $crate::declare::structure!(@nested_read $name);
    };
    ($(#[$meta:meta])* output $name:ident = $shape:literal { $($members:tt)* }) => {
        $crate::declare::structure!(@type [$(#[$meta])*] $name { $($members)* });
        $crate::declare::structure!(@write $name { $($members)* });
    };
    (@type [$(#[$meta:meta])*] $name:ident {
        $($field:ident: $presence:ident $type:ty = $member:literal $shape:ident,)*
    }) => {
        $(#[$meta])*
        pub struct $name {
            $(
                #[doc = concat!("`", $member, "`")]
                pub $field: $crate::declare::field_type!($presence $type),
            )*
        }

        impl $name {
            pub(crate) const MEMBERS: &'static [$crate::shape::Member] = &[$($crate::shape::Member {
                name: $member,
                required: $crate::declare::is_required!($presence),
                shape: &shapes::$shape,
            },)*];
        }
    };
    (@read $name:ident { }) => {
        impl $crate::decode::FromObject for $name {
            fn from_object(
                _: &$crate::json::Object<'_>,
                _: Option<&$crate::violation::Place<'_>>,
                _: &mut $crate::violation::Violations,
            ) -> Result<Option<Self>, $crate::error::InputError> {
                Ok(Some(Self {}))
            }
        }
    };
    (@read $name:ident { $($field:ident: $presence:ident $type:ty = $member:literal $shape:ident,)* }) => {
        impl $crate::decode::FromObject for $name {
            fn from_object(
                object: &$crate::json::Object<'_>,
                parent: Option<&$crate::violation::Place<'_>>,
                found: &mut $crate::violation::Violations,
            ) -> Result<Option<Self>, $crate::error::InputError> {
                $(
                    let member = $crate::shape::Member {
                        name: $member,
                        required: $crate::declare::is_required!($presence),
                        shape: &shapes::$shape,
                    };
                    let $field = $crate::decode::$presence::<$type>(object, &member, parent, found)?;
                )*
                let ($(Some($field),)*) = ($($field,)*) else { return Ok(None) };
                Ok(Some(Self { $($field,)* }))
            }
        }
    };
    (@parameters $name:ident { }) => {
        impl $crate::parameters::Parameter for $name {
            fn write_parameter(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(b"{}");
            }
        }
    };
    (@parameters $name:ident { $($field:ident: $presence:ident $type:ty = $member:literal $shape:ident,)* }) => {
        impl $crate::parameters::Parameter for $name {
            fn write_parameter(&self, out: &mut Vec<u8>) {
                let mut first = true;
                out.push(b'{');
                $($crate::parameters::member(out, &mut first, $member, &self.$field);)*
                out.push(b'}');
            }
        }
    };
    (@nested_read $name:ident) => {
        impl $crate::decode::FromJson for $name {
            fn from_json(
                json: &$crate::json::Json<'_>,
                at: &$crate::violation::Place<'_>,
                found: &mut $crate::violation::Violations,
            ) -> Result<Option<Self>, $crate::error::InputError> {
                $crate::decode::structure(json, at, found)
            }
        }
    };
    (@write $name:ident { }) => {
        impl $crate::encode::ToJson for $name {
            fn write_json(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(b"{}");
            }
        }
    };
    (@write $name:ident { $($field:ident: $presence:ident $type:ty = $member:literal $shape:ident,)+ }) => {
        impl $crate::encode::ToJson for $name {
            fn write_json(&self, out: &mut Vec<u8>) {
                let mut first = true;
                out.push(b'{');
                $($crate::encode::member(out, &mut first, concat!("\"", $member, "\":"), &self.$field);)+
                out.push(b'}');
            }
        }
    };
}

/// An operation: its request, its answer if it has one, and its modelled errors.
macro_rules! operation {
    ($operation:ident {
        input $input:ident { $($in:tt)* }
        $(output $output:ident { $($out:tt)* })?
        errors [$($error:ident,)*]
    }) => {
        $crate::declare::structure!(@type
            [#[doc = concat!("The request of `", stringify!($operation), "`.")]] $input { $($in)* });
        $crate::declare::structure!(@read $input { $($in)* });
        $crate::declare::structure!(@parameters $input { $($in)* });

        impl $crate::Input for $input {
            const OPERATION: $crate::Operation = $crate::Operation::$operation;

            fn decode(body: &[u8]) -> Result<Self, $crate::error::InputError> {
                $crate::decode::body(body)
            }

            fn write_parameters(&self, out: &mut Vec<u8>) {
                $crate::parameters::Parameter::write_parameter(self, out);
            }
        }

        impl $input {
            pub(crate) const MODEL: $crate::model::OperationModel = $crate::model::OperationModel {
                operation: $crate::Operation::$operation,
                input: Self::MEMBERS,
                output: $crate::declare::output_members!($($output)?),
                errors: &[$($crate::ErrorCode::$error,)*],
                check: |body| $crate::decode::body::<Self>(body).map(drop),
            };
        }

        $(
            $crate::declare::structure!(@type
                [#[doc = concat!("The answer of `", stringify!($operation), "`.")]] $output { $($out)* });
            $crate::declare::structure!(@write $output { $($out)* });

            impl $crate::Output for $output {
                const OPERATION: $crate::Operation = $crate::Operation::$operation;

                fn write(&self, out: &mut Vec<u8>) {
                    $crate::encode::ToJson::write_json(self, out);
                }
            }
        )?
    };
}

/// The members of an answer, if there is one.
macro_rules! output_members {
    () => {
        None
    };
    ($output:ident) => {
        Some($output::MEMBERS)
    };
}

pub(crate) use {field_type, is_required, operation, output_members, structure};
