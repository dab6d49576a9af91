//! The requests of a test mode, and the access keys that it knows.

use std::sync::Arc;

use http::header::{ALLOW, HeaderValue, ORIGIN};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use keyreeve_core::bracket::Trail;
use keyreeve_core::credential::{Credential, CredentialError};
use keyreeve_domain::Timestamp;

use super::{Api, respond};
use crate::connection::Body;
use crate::test_mode::{TestMode, TestModeAnswer, TestModeRequest};

impl<T: Trail + 'static> Api<T> {
    /// The access key; in a test mode, one that stands for an account is made when it is first used.
    pub(super) async fn credential(
        &self,
        id: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<Credential>, CredentialError> {
        let service = &self.endpoint.service;
        let found = service.credential(id, token, now).await;
        match (&found, token, &self.endpoint.test_mode) {
            (Err(CredentialError::Unknown), None, Some(test_mode)) if test_mode.admit(id).await? => {
                service.credential(id, token, now).await
            }
            _ => found,
        }
    }

    /// Answers a request to a path of the test mode.
    pub(super) async fn test_mode(
        &self,
        test_mode: &dyn TestMode,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let read = self.unsigned_bodies.read(body, &self.endpoint.limits.unsigned()).await;
        let answer = match read {
            Ok(body) => {
                let request = TestModeRequest {
                    method: parts.method,
                    path: parts.uri.path().to_owned(),
                    from_page: parts.headers.contains_key(ORIGIN),
                    body: body.copied(),
                };
                drop(body);
                test_mode.answer(request, &self.trail).await
            }
            Err(_) => TestModeAnswer {
                status: StatusCode::BAD_REQUEST,
                allow: None,
                body: br#"{"message":"The body of the request is too long, or did not arrive."}"#.to_vec(),
            },
        };
        let mut response = respond(None, answer.status.as_u16(), answer.body, "application/json");
        let allow = answer.allow.map(|allow| (ALLOW, HeaderValue::from_static(allow)));
        response.headers_mut().extend(allow);
        response
    }
}
