//! One connection's requests, one after the other, with what goes wrong with them.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::answer::{Answer, Content};
use crate::fault::{Action, Faults};
use crate::log::{Entry, Log};
use crate::wire::{Body, Framing, Head, Wire};

/// Who answers requests.
pub(crate) trait Answering {
    /// What goes wrong.
    fn faults(&self) -> &Faults;

    /// Where requests are noted.
    fn log(&self) -> &Log;

    /// What each answer waits for.
    fn delay(&self) -> Duration;

    /// The answer, and whether the body was read to its end, so that the connection can be kept.
    fn answer(&self, head: &Head, body: Body<'_>, action: Option<&Action>) -> (Answer, bool);

    /// Takes over the connection of a `CONNECT`.
    ///
    /// # Errors
    /// It leads nowhere.
    fn tunnel(&self, client: TcpStream) -> io::Result<()> {
        drop(client);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// What becomes of a connection after a request.
enum Next {
    Keep,
    Close,
    Reset,
}

/// Answers a connection's requests until it ends.
pub(crate) fn serve(by: &dyn Answering, mut wire: Wire, connection: u64) {
    loop {
        let head = match wire.read_head() {
            Ok(Some(head)) => head,
            Ok(None) => return,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let _ = Answer::error(400, "UNSUPPORTED", &error.to_string()).write(&mut wire, false, true, || {});
                return wire.close();
            }
            Err(_) => return,
        };
        let entry = by.log().arrive(&head, connection);
        let action = by.faults().strike(&head.method, &head.target);
        match exchange(by, &mut wire, &head, entry, action) {
            Next::Keep => {}
            Next::Close => return wire.close(),
            Next::Reset => return wire.reset(),
        }
    }
}

fn exchange(by: &dyn Answering, wire: &mut Wire, head: &Head, entry: Entry, action: Option<Action>) -> Next {
    let unanswered = |next| {
        by.log().finish(entry, None);
        next
    };
    match action {
        Some(Action::Reset) => return unanswered(Next::Reset),
        Some(Action::Hang) => {
            wire.wait_for_close();
            return unanswered(Next::Close);
        }
        _ => {}
    }
    if head.method == "CONNECT"
        && let Ok(Some(client)) = wire.take_plain()
    {
        by.log().finish(entry, Some(200));
        let mut to_client = &client;
        if to_client.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n").is_ok() {
            let _ = by.tunnel(client);
        }
        return Next::Close;
    }
    // The last byte of the head stays unread for whoever is reset in mid-body; such a request has none of its own.
    let resets = matches!(action, Some(Action::ResetBody(_))) && head.framing().is_ok_and(|framing| framing == Framing::Known(0));
    let body = match Body::new(wire, head) {
        Ok(body) => body,
        Err(error) => {
            by.log().finish(entry, Some(400));
            let _ = Answer::error(400, "UNSUPPORTED", &error.to_string()).write(wire, false, true, || {});
            return Next::Close;
        }
    };
    let (mut answer, clean) = match &action {
        Some(Action::Status(status, headers, bytes)) => {
            let mut answer =
                if bytes.is_empty() { default_error(*status) } else { Answer::new(*status).body("application/json", bytes.clone()) };
            for (name, value) in headers {
                answer.replace(name, Some(value));
            }
            (answer, body.drain())
        }
        Some(Action::Redirect(url)) => (Answer::new(307).header("Location", url), body.drain()),
        action => by.answer(head, body, action.as_ref()),
    };
    let delay = by.delay() + if let Some(Action::Late(late)) = action { late } else { Duration::ZERO };
    if !delay.is_zero() {
        std::thread::sleep(delay);
    }
    let close = !clean || head.wants_close();
    let bodiless = head.method == "HEAD";
    let mut finish = Some(|status| by.log().finish(entry, Some(status)));
    match action {
        Some(Action::Carried(status)) => answer = default_error(status),
        Some(Action::Lost) => return unanswered(Next::Reset),
        Some(Action::Header(name, value)) => answer.replace(&name, value.as_deref()),
        Some(Action::Body(bytes)) => answer.content = Content::bytes(bytes),
        Some(Action::Fill(beginning, byte, length)) => {
            answer.status = 200;
            if length.is_none() {
                // Its end is the connection's: a length would be one.
                answer.replace("Transfer-Encoding", Some("chunked"));
                answer.content = Content::Fill(beginning, byte, u64::MAX);
                let result = endless(wire, &answer);
                by.log().finish(entry, Some(200));
                return if result.is_ok() { Next::Close } else { Next::Reset };
            }
            answer.content = Content::Fill(beginning, byte, length.unwrap_or(u64::MAX));
        }
        Some(Action::Truncate(count) | Action::ResetBody(count)) => {
            let cut = partial(wire, &answer, count);
            by.log().finish(entry, Some(answer.status));
            return if cut.is_err() || resets { Next::Reset } else { Next::Close };
        }
        Some(Action::Drip(while_)) => {
            let dripped = drip(wire, &answer, while_);
            by.log().finish(entry, Some(answer.status));
            return if dripped.is_ok() && !close { Next::Keep } else { Next::Close };
        }
        _ => {}
    }
    let status = answer.status;
    let written = answer.write(wire, bodiless, close, || {
        if let Some(finish) = finish.take() {
            finish(status);
        }
    });
    if let Some(finish) = finish.take() {
        finish(status);
    }
    if written.is_err() || close { Next::Close } else { Next::Keep }
}

fn default_error(status: u16) -> Answer {
    let (code, message) = match status {
        401 => ("UNAUTHORIZED", "authentication required"),
        403 => ("DENIED", "requested access to the resource is denied"),
        404 => ("NAME_UNKNOWN", "not found"),
        429 => ("TOOMANYREQUESTS", "too many requests"),
        _ => ("UNKNOWN", "a fault of the test"),
    };
    Answer::error(status, code, message)
}

/// The whole head, and the first bytes of the body.
fn partial(wire: &mut Wire, answer: &Answer, count: u64) -> io::Result<()> {
    use std::io::Read as _;
    wire.write_all(answer.head(false).as_bytes())?;
    io::copy(&mut answer.content.reader()?.take(count), wire)?;
    wire.flush()
}

fn drip(wire: &mut Wire, answer: &Answer, each: Duration) -> io::Result<()> {
    use std::io::Read as _;
    wire.write_all(answer.head(false).as_bytes())?;
    wire.flush()?;
    for byte in io::BufReader::new(answer.content.reader()?).bytes() {
        std::thread::sleep(each);
        wire.write_all(&[byte?])?;
        wire.flush()?;
    }
    Ok(())
}

/// Chunks without an end.
fn endless(wire: &mut Wire, answer: &Answer) -> io::Result<()> {
    use std::io::Read as _;
    wire.write_all(answer.head(false).as_bytes())?;
    let mut reader = answer.content.reader()?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        wire.write_all(format!("{count:x}\r\n").as_bytes())?;
        wire.write_all(buffer.get(..count).unwrap_or_default())?;
        wire.write_all(b"\r\n")?;
    }
}
