//! Declaring the options of the configuration: one line each, from which the type, its default, its check and the
//! reference come.

/// A section of the configuration file.
macro_rules! section {
    ($(#[doc = $about:literal])+ $name:ident in $section:literal {
        $($(#[doc = $doc:literal])+ $field:ident: $type:ty = $default:expr, $shown:literal, since $since:literal
            $(, once $alias:literal)?;)+
    }) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[doc = $doc])+ $(#[serde(alias = $alias)])? pub(crate) $field: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $name {
            /// The section of the reference.
            pub(crate) fn reference(out: &mut String) {
                $(out.push_str(concat!("#", $about, "\n"));)+
                out.push_str(concat!("[", $section, "]\n"));
                $(
                    $(out.push_str(concat!("#", $doc, "\n"));)+
                    out.push_str(concat!("# Since ", $since, "\n"));
                    out.push_str(concat!("# ", stringify!($field), " = ", $shown, "\n"));
                )+
            }
        }
    };
}

pub(crate) use section;
