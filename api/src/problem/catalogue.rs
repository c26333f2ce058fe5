//! Every code that an answer may carry, with its status and what to do about it. Codes are stable: clients match on them.

/// One sort of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Its stable name.
    pub name: &'static str,
    /// The HTTP status it comes with.
    pub status: u16,
    /// What sort of problem, in a few words.
    pub title: &'static str,
    /// What to do about it, unless the error itself knows better.
    pub remedy: &'static str,
}

const fn code(name: &'static str, status: u16, title: &'static str, remedy: &'static str) -> Code {
    Code { name, status, title, remedy }
}

/// Every code, by status.
pub const CODES: &[Code] = &[
    code(
        "bad_json",
        400,
        "The body cannot be read",
        "Correct the named field; the shapes stand in /api/v1/openapi.json.",
    ),
    code(
        "bad_query",
        400,
        "The query cannot be read",
        "Correct the named parameter; times are RFC 3339, as 2026-11-22T14:03:22Z.",
    ),
    code("bad_path", 400, "The address cannot be read", "Correct the id in the address."),
    code(
        "bad_cursor",
        400,
        "The cursor is not one of this list",
        "Give back `next` of the page before, unchanged.",
    ),
    code("invalid", 400, "A value breaks a rule", "Correct the named field and send it again."),
    code(
        "weak_password",
        400,
        "The password is too easy to guess",
        "Choose a longer one, four random words for instance.",
    ),
    code("reason_missing", 400, "A reason is needed", "Say in a sentence why you need to look."),
    code("upgrade_needed", 400, "A WebSocket handshake is needed", "Connect with a WebSocket client."),
    code(
        "not_signed_in",
        401,
        "Nobody is signed in",
        "Sign in with POST /api/v1/session, or send a service token as Authorization: Bearer.",
    ),
    code(
        "bad_credentials",
        401,
        "Name or password is wrong",
        "Check both and try again; an admin can set a new password.",
    ),
    code(
        "csrf",
        403,
        "The write may be forged",
        "Send the csrf value that signing in (or GET /api/v1/me) returned as X-CSRF-Token.",
    ),
    code("origin_refused", 403, "Another site's page", "Open the live view from the console's own address."),
    code(
        "role_forbids",
        403,
        "The role may not do this",
        "Ask somebody whose role may, or an admin for an account with that role.",
    ),
    code("not_yours", 403, "It belongs to somebody else", "Ask its owner, or use one of your own."),
    code(
        "second_person",
        403,
        "A second person is needed",
        "Ask somebody of another unit who may approve it.",
    ),
    code(
        "grant_missing",
        403,
        "A grant is needed",
        "Open a grant with POST /api/v1/grants and give its id as grant=.",
    ),
    code(
        "grant_foreign",
        403,
        "Not one of your grants",
        "Use a grant that you opened yourself; GET /api/v1/grants lists them.",
    ),
    code("grant_expired", 403, "The grant has expired", "Open a new grant if the ground still stands."),
    code("grant_ended", 403, "The grant was ended", "Open a new grant if the ground still stands."),
    code("grant_scope", 403, "Outside of the grant", "Open a grant whose cameras and time cover it."),
    code(
        "grant_too_wide",
        403,
        "More than the ground allows",
        "Narrow the request, or open several grants, each with its own reason.",
    ),
    code(
        "ground_closed",
        403,
        "The ground is closed",
        "Look under another ground, or have it opened again by who is responsible for it.",
    ),
    code(
        "ground_unknown",
        403,
        "No such ground is open for you",
        "Check the reference; a supervisor can register a case or add you as a member.",
    ),
    code("not_found", 404, "There is no such thing", "List what there is and use an id from there."),
    code("route_unknown", 404, "There is no such route", "See /api/docs for the routes."),
    code(
        "no_footage",
        404,
        "There is no footage there",
        "GET /api/v1/footage/{camera}/timeline says what there is.",
    ),
    code("method_unknown", 405, "The route does not take this method", "See /api/docs for the methods."),
    code("exists", 409, "It exists already", "Choose another id or name, or change the existing one."),
    code("conflict", 409, "Somebody else was faster", "Read it again and repeat the change."),
    code("in_use", 409, "Something else needs it", "Move or remove what uses it first."),
    code(
        "not_possible",
        409,
        "Not possible from its present state",
        "Read it again and choose another step.",
    ),
    code("ended", 409, "It has ended", "Start a new one."),
    code(
        "footage_destroyed",
        410,
        "The footage was destroyed",
        "Its time was over; GET /api/v1/audit/entries?action=keys_destroyed says when and by whom.",
    ),
    code("body_too_large", 413, "The body is too long", "Send less at a time."),
    code("wrong_type", 415, "The body is of another kind", "Send the named kind and say so in Content-Type."),
    code("undecodable", 422, "The frame cannot be shown", "Ask for another moment of the same camera."),
    code(
        "throttled",
        429,
        "Too many failed attempts",
        "Wait, then try again; if it was not you, tell an admin.",
    ),
    code(
        "internal",
        500,
        "Something went wrong inside",
        "Try again; if it stays, tell ops the time and the X-Request-Id.",
    ),
    code("audit_broken", 500, "The audit log is broken", "Keep everything as it is and tell the auditor."),
    code(
        "audit_unavailable",
        503,
        "The audit log cannot be written, so nothing is shown",
        "Tell ops: the records database or its disk is in trouble.",
    ),
    code(
        "records_unavailable",
        503,
        "The records do not answer",
        "Try again; if it stays, tell ops: the database or its disk is in trouble.",
    ),
    code(
        "footage_unavailable",
        503,
        "The footage store does not answer",
        "Try again; if it stays, tell ops: the disk is in trouble.",
    ),
    code(
        "keys_unavailable",
        503,
        "The keys of footage cannot be used",
        "Tell ops: the key folder or its disk is in trouble; the log says which file. Nothing is lost by waiting.",
    ),
    code("picture_unavailable", 503, "No decoder is free", "Ask again in a moment."),
    code("too_many_viewers", 503, "Too many watch live", "Close a live view, or raise api.live_viewers."),
    code("stopping", 503, "The program is stopping", "Try again in a moment."),
];

/// The code of a name; `internal` for one that is not in the list.
pub(super) fn named(name: &str) -> Code {
    let found = CODES.iter().find(|code| code.name == name);
    found.copied().unwrap_or(INTERNAL)
}

const INTERNAL: Code = code(
    "internal",
    500,
    "Something went wrong inside",
    "Try again; if it stays, tell ops the time and the X-Request-Id.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_complete() {
        let mut names: Vec<_> = CODES.iter().map(|code| code.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CODES.len());
        assert!(CODES.iter().all(|code| (400..600).contains(&code.status) && code.remedy.ends_with('.')));
        assert_eq!(named("internal"), INTERNAL);
        assert!(CODES.contains(&INTERNAL));
        assert_eq!(named("who knows").name, "internal");
    }
}
