//! The declarations of IAM, STS and CloudWatch: those of AWS KMS, with answers that are written to a [`Sink`](super::Sink).

/// A structure: `input` is read, `output` is written, `shared` is both.
macro_rules! query_structure {
    ($(#[$meta:meta])* shared $name:ident = $shape:literal { $($members:tt)* }) => {
        query_structure!(@read [$(#[$meta])* #[derive(Clone, Debug, Eq, PartialEq)]] $name { $($members)* });
        $crate::query::declare::answered!($name { $($members)* });
    };
    ($(#[$meta:meta])* input $name:ident = $shape:literal { $($members:tt)* }) => {
        query_structure!(@read [$(#[$meta])* #[derive(Clone, Debug, Eq, PartialEq)]] $name { $($members)* });
    };
    ($(#[$meta:meta])* output $name:ident = $shape:literal { $($members:tt)* }) => {
        $crate::declare::structure!(@type [$(#[$meta])*] $name { $($members)* });
        $crate::query::declare::answered!($name { $($members)* });
    };
    (@read [$($meta:tt)*] $name:ident { $($members:tt)* }) => {
        $crate::declare::structure!(@type [$($meta)*] $name { $($members)* });
        $crate::declare::structure!(@parameters $name { $($members)* });
        $crate::declare::structure!(@read $name { $($members)* });
        $crate::declare::structure!(@nested_read $name);
    };
}

/// A structure that is written.
macro_rules! answered {
    ($name:ident { $($field:ident: $presence:ident $type:ty = $member:literal $shape:ident,)* }) => {
        impl $crate::query::Answered for $name {
            fn write(&self, name: &str, sink: &mut dyn $crate::query::Sink) {
                sink.begin(name);
                $($crate::query::Answered::write(&self.$field, $member, sink);)*
                sink.end(name);
            }
        }
    };
}

/// An operation: its request, its answer if it has one, and its modelled errors. `Operation` is in scope.
macro_rules! query_operation {
    ($operation:ident {
        input $input:ident { $($in:tt)* }
        $(output $output:ident { $($out:tt)* })?
        errors [$($error:ident),* $(,)?]
    }) => {
        $crate::declare::structure!(@type
            [#[doc = concat!("The request of `", stringify!($operation), "`.")]] $input { $($in)* });
        $crate::declare::structure!(@read $input { $($in)* });
        $crate::declare::structure!(@parameters $input { $($in)* });

        impl $crate::query::QueryInput for $input {
            type Operation = Operation;
            const OPERATION: Operation = Operation::$operation;

            fn decode(form: &$crate::query::Form<'_>) -> Result<Self, $crate::query::QueryError> {
                $crate::query::decode(form, Self::MEMBERS, <Operation as $crate::query::Api>::VALUES)
            }

            fn read(object: &$crate::json::Object<'_>) -> Result<Self, $crate::query::QueryError> {
                $crate::query::read(object, Self::MEMBERS, <Operation as $crate::query::Api>::VALUES)
            }

            fn write_parameters(&self, out: &mut Vec<u8>) {
                $crate::parameters::Parameter::write_parameter(self, out);
            }
        }

        impl $input {
            pub(crate) const MODEL: $crate::query::QueryModel = $crate::query::QueryModel {
                name: stringify!($operation),
                input: Self::MEMBERS,
                output: $crate::declare::output_members!($($output)?),
                errors: &[$($crate::query::QueryErrorCode::$error,)*],
                check: |form| <Self as $crate::query::QueryInput>::decode(form).map(drop),
            };
        }

        $(
            $crate::declare::structure!(@type
                [#[doc = concat!("The answer of `", stringify!($operation), "`.")]] $output { $($out)* });

            $crate::query::declare::query_output!($operation $output { $($out)* });
        )?
    };
}

/// An answer.
macro_rules! query_output {
    ($operation:ident $output:ident { }) => {
        impl $crate::query::QueryOutput for $output {
            type Operation = Operation;
            const OPERATION: Operation = Operation::$operation;

            fn write_members(&self, _: &mut dyn $crate::query::Sink) {}
        }
    };
    ($operation:ident $output:ident {
        $($field:ident: $presence:ident $type:ty = $member:literal $shape:ident,)+
    }) => {
        impl $crate::query::QueryOutput for $output {
            type Operation = Operation;
            const OPERATION: Operation = Operation::$operation;

            fn write_members(&self, sink: &mut dyn $crate::query::Sink) {
                $($crate::query::Answered::write(&self.$field, $member, sink);)+
            }
        }
    };
}

/// The operations of a service, each with its effect and its request.
macro_rules! query_operations {
    ($service:literal $version:literal $namespace:literal $(times $milliseconds:ident)? $(values $values:ident)? { $($name:ident: $effect:ident = $input:ident,)+ }) => {
        /// An operation.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Operation {
            $(#[doc = concat!("[`", stringify!($name), "`](https://docs.aws.amazon.com/", $service, "/latest/APIReference/API_", stringify!($name), ".html)")] $name,)+
        }

        impl Operation {
            /// Every operation, in the order of their names.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The operation at run time.
            #[must_use]
            pub const fn model(self) -> &'static $crate::query::QueryModel {
                match self {
                    $(Self::$name => const { &$input::MODEL },)+
                }
            }
        }

        impl $crate::query::Api for Operation {
            const VERSION: &'static str = $version;
            const NAMESPACE: &'static str = $namespace;
            const MILLISECONDS: bool = query_operations!(@times $($milliseconds)?);
            const VALUES: $crate::query::Values = query_operations!(@values $($values)?);

            fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$name),)+
                    _ => None,
                }
            }

            fn read_only(self) -> bool {
                match self {
                    $(Self::$name => query_operations!(@$effect),)+
                }
            }
        }
    };
    (@times) => { false };
    (@times with_milliseconds) => { true };
    (@values) => { $crate::query::Values::Shown };
    (@values hidden) => { $crate::query::Values::Hidden };
    (@reads) => { true };
    (@writes) => { false };
}

/// Enumerations, each with its shape.
macro_rules! query_enumerations {
    ($($(#[$meta:meta])* $name:ident $shape:ident = $shape_name:literal { $($variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)+
        }

        impl $name {
            /// Its shape.
            pub const SHAPE: &'static Shape = &$shape;
            /// The text of every value, in the order of the service model.
            pub const TEXTS: &'static [&'static str] = &[$($text,)+];

            /// The value as it stands on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::query::NoSuchValueError;

            fn from_str(text: &str) -> Result<Self, $crate::query::NoSuchValueError> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::query::NoSuchValueError),
                }
            }
        }

        pub(crate) static $shape: Shape =
            Shape::new($shape_name, Kind::Enumeration { values: $name::TEXTS, listed: $name::TEXTS });

        impl $crate::decode::FromJson for $name {
            fn from_json(
                json: &$crate::json::Json<'_>,
                at: &$crate::violation::Place<'_>,
                found: &mut $crate::violation::Violations,
            ) -> Result<Option<Self>, $crate::error::InputError> {
                $crate::decode::enumeration(json, at, found, |text| text.parse().ok())
            }
        }

        impl $crate::parameters::Parameter for $name {
            fn write_parameter(&self, out: &mut Vec<u8>) {
                $crate::encode::text(out, self.as_str());
            }
        }

        impl $crate::query::Answered for $name {
            fn write(&self, name: &str, sink: &mut dyn $crate::query::Sink) {
                sink.text(name, self.as_str());
            }
        }
    )+};
}

pub(crate) use {
    answered, query_enumerations, query_operation, query_operations, query_output, query_structure,
};
