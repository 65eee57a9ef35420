//! The five sockets of Jupyter's protocol: tasks on the one runtime read and write them; the kernel's thread sees queues.

use super::relay::relay;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::store::{Deadline, background, wait};
use crossbeam_channel::{Receiver, Sender, unbounded};
use jupyter_protocol::{
    ConnectionInfo, IoPubWelcome, JupyterMessage, JupyterMessageContent, Status, Transport,
    UnknownMessage,
};
use jupyter_zmq_client as zmq;
use serde_json::{Value as Json, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use zeromq::{Socket, SocketRecv, XPubSocket};

/// How long sockets may take to be bound.
const BIND: Duration = Duration::from_secs(10);
/// How long the last messages may take to leave.
const LAST: Duration = Duration::from_secs(1);
/// How often the kernel looks whether who started it still lives.
const LOOK: Duration = Duration::from_secs(1);
/// How long a cell may take to end when nobody waits for it.
const GRACE: Duration = Duration::from_secs(10);
/// A socket that fails again and again is asked no faster than this.
const BREATH: Duration = Duration::from_millis(20);

/// What came over the sockets.
pub enum Came {
    /// A request on the shell channel.
    Shell(Box<JupyterMessage>),
    /// A request on the control channel, answered as soon as nothing runs.
    Control(Box<JupyterMessage>),
    /// The kernel shall end; the request that wants an answer.
    Shutdown(Box<JupyterMessage>),
    /// Whoever started the kernel is gone.
    Orphaned,
}

/// Messages on their way out. Cheap to clone.
#[derive(Clone)]
pub struct Out {
    iopub: mpsc::UnboundedSender<JupyterMessage>,
    shell: mpsc::UnboundedSender<JupyterMessage>,
    control: mpsc::UnboundedSender<JupyterMessage>,
    stdin: mpsc::UnboundedSender<JupyterMessage>,
}

impl Out {
    /// Tells all front ends something about a request.
    pub fn publish(&self, content: impl Into<JupyterMessageContent>, parent: &JupyterMessage) {
        let mut message = named(content, parent);
        // Who asked is no topic that all others listen to.
        message.zmq_identities = vec![format!("stellar.{}", message.header.msg_type).into()];
        let _ = self.iopub.send(message);
    }

    /// Answers a request on the shell channel.
    pub fn reply(&self, content: impl Into<JupyterMessageContent>, parent: &JupyterMessage) {
        let _ = self.shell.send(named(content, parent));
    }

    /// Answers a request on the control channel.
    pub fn reply_control(
        &self,
        content: impl Into<JupyterMessageContent>,
        parent: &JupyterMessage,
    ) {
        let _ = self.control.send(named(content, parent));
    }

    /// Asks the front end that sent a request for a text.
    pub fn ask(&self, content: impl Into<JupyterMessageContent>, parent: &JupyterMessage) {
        let _ = self.stdin.send(named(content, parent));
    }
}

fn named(content: impl Into<JupyterMessageContent>, parent: &JupyterMessage) -> JupyterMessage {
    let mut message = JupyterMessage::new(content, Some(parent));
    message.header.username = "stellar".to_string();
    message
}

/// What interrupts a cell, and whether one runs.
#[derive(Clone)]
pub struct Interrupt {
    /// Stops what is evaluated.
    pub cancel: Arc<AtomicBool>,
    /// Set while a cell runs: an interrupt that comes later is not meant for the next one.
    pub running: Arc<AtomicBool>,
}

impl Interrupt {
    /// Stops the cell that runs, if one does.
    pub fn stop(&self) {
        if self.running.load(Ordering::SeqCst) {
            self.cancel.store(true, Ordering::SeqCst);
        }
    }
}

/// The open sockets.
pub struct Channels {
    /// Requests in their order.
    pub came: Receiver<Came>,
    /// Answers to what [`Out::ask`] asked.
    pub answers: Receiver<String>,
    /// The way out.
    pub out: Out,
    writers: Vec<JoinHandle<()>>,
    /// Answers on the control channel while a cell runs.
    control: JoinHandle<()>,
    /// Tells those who pass on to front ends that the kernel ends.
    ending: watch::Sender<bool>,
    /// Ends when the last of them has everything.
    listening: mpsc::Receiver<()>,
}

/// Binds the sockets and starts their tasks. Errors: E0404 when an address cannot be had.
pub fn open(info: &ConnectionInfo, session: &str, interrupt: &Interrupt) -> Outcome<Channels> {
    let go = AtomicBool::new(false);
    let bound = wait(
        async {
            let had = |name: &'static str, url: String| {
                move |error: zmq::RuntimeError| failed(name, &url, &error)
            };
            let shell = zmq::create_kernel_shell_connection(info, session).await;
            let control = zmq::create_kernel_control_connection(info, session).await;
            let stdin = zmq::create_kernel_stdin_connection(info, session).await;
            let heart = zmq::create_kernel_heartbeat_connection(info).await;
            Ok::<_, Fault>((
                shell.map_err(had("shell", info.shell_url()))?,
                control.map_err(had("control", info.control_url()))?,
                stdin.map_err(had("stdin", info.stdin_url()))?,
                heart.map_err(had("heartbeat", info.hb_url()))?,
                published(info, session)
                    .await
                    .map_err(had("iopub", info.iopub_url()))?,
            ))
        },
        Deadline::after(BIND),
        &go,
    )?;
    let (shell, control, stdin, heart, (iopub, relayed)) = bound?;
    let (alive, listening) = mpsc::channel(1);
    let (ending, ends) = watch::channel(false);
    if let Some((outside, inside)) = relayed {
        background(relay(outside, inside, ends, alive))?;
    }
    let (came_in, came) = unbounded();
    let (answered, answers) = unbounded();
    let (iopub_out, mut published) = mpsc::unbounded_channel::<JupyterMessage>();
    let (shell_out, shell_queue) = mpsc::unbounded_channel();
    let (control_out, control_queue) = mpsc::unbounded_channel();
    let (stdin_out, stdin_queue) = mpsc::unbounded_channel();
    let (shell_send, mut shell_recv) = shell.split();
    let (control_send, mut control_recv) = control.split();
    let (stdin_send, mut stdin_recv) = stdin.split();
    let mut writers = vec![
        background(write(shell_send, shell_queue))?,
        background(write(control_send, control_queue))?,
        background(write(stdin_send, stdin_queue))?,
    ];
    writers.push(background(async move {
        let mut iopub = iopub;
        loop {
            tokio::select! {
                biased;
                event = iopub.recv_subscription() => match event {
                    Ok(zmq::SubscriptionEvent::Subscribe(topic)) => {
                        let welcome = IoPubWelcome::new(topic.clone());
                        let mut message = JupyterMessage::new(welcome, None);
                        message.zmq_identities = vec![topic.into_bytes().into()];
                        tell(iopub.send(message).await.err());
                    }
                    Ok(zmq::SubscriptionEvent::Unsubscribe(_)) => {}
                    Err(_) => tokio::time::sleep(BREATH).await,
                },
                message = published.recv() => match message {
                    Some(message) => tell(iopub.send(message).await.err()),
                    None => break,
                },
            }
        }
    })?);
    background(watch_parent(interrupt.clone(), came_in.clone()))?;
    let queue = came_in.clone();
    background(async move {
        loop {
            match read(&mut shell_recv).await {
                Ok(message) => {
                    let came = match message.content {
                        JupyterMessageContent::ShutdownRequest(_) => Came::Shutdown,
                        _ => Came::Shell,
                    };
                    if queue.send(came(Box::new(message))).is_err() {
                        return;
                    }
                }
                Err(error) => bad(&error).await,
            }
        }
    })?;
    let out = Out {
        iopub: iopub_out,
        shell: shell_out,
        control: control_out,
        stdin: stdin_out,
    };
    let (interrupt, own) = (interrupt.clone(), out.clone());
    let control = background(async move {
        loop {
            match read(&mut control_recv).await {
                Ok(message) => {
                    if !controlled(message, &interrupt, &own, &came_in) {
                        return;
                    }
                }
                Err(error) => bad(&error).await,
            }
        }
    })?;
    background(async move {
        loop {
            match read(&mut stdin_recv).await {
                Ok(message) => {
                    if let JupyterMessageContent::InputReply(reply) = message.content
                        && answered.send(reply.value).is_err()
                    {
                        return;
                    }
                }
                Err(error) => bad(&error).await,
            }
        }
    })?;
    background(async move {
        let mut heart = heart;
        loop {
            if let Err(error) = heart.single_heartbeat().await {
                bad(&error).await;
            }
        }
    })?;
    Ok(Channels {
        came,
        answers,
        out,
        writers,
        control,
        ending,
        listening,
    })
}

/// The socket that publishes; and where front ends connect, with where that is passed on to.
async fn published(
    info: &ConnectionInfo,
    session: &str,
) -> zmq::Result<(
    zmq::KernelIoPubXPubConnection,
    Option<(TcpListener, SocketAddr)>,
)> {
    if !matches!(info.transport, Transport::TCP) {
        let iopub = zmq::create_kernel_iopub_xpub_connection(info, session).await?;
        return Ok((iopub, None));
    }
    let ip = match info.ip.as_str() {
        "*" => "0.0.0.0",
        ip => ip,
    };
    let outside = TcpListener::bind((ip, info.iopub_port)).await?;
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let inside = listener.local_addr()?;
    let mut socket = XPubSocket::new();
    socket.bind_listener(listener).await?;
    let iopub = zmq::Connection::new(socket, &info.key, session);
    Ok((iopub, Some((outside, inside))))
}

/// Ends the kernel when whoever started it is gone.
async fn watch_parent(interrupt: Interrupt, queue: Sender<Came>) {
    let parent = std::os::unix::process::parent_id();
    if parent == 1 {
        // A kernel that the machine itself has started lives by itself.
        return;
    }
    loop {
        tokio::time::sleep(LOOK).await;
        if std::os::unix::process::parent_id() != parent {
            interrupt.stop();
            let _ = queue.send(Came::Orphaned);
            tokio::time::sleep(GRACE).await;
            // What runs does not listen, and nobody wants its result.
            std::process::exit(1);
        }
    }
}

/// The next message. One whose content is not as the protocol wants it becomes an unknown one, so that it is answered.
async fn read<S: SocketRecv>(socket: &mut zmq::Connection<S>) -> zmq::Result<JupyterMessage> {
    let parts = socket.socket.recv().await?;
    let raw = zmq::RawMessage::from_multipart(parts, &socket.mac)?;
    let part = |index: usize| raw.jparts.get(index).map_or(&b"{}"[..], |part| part);
    let header: jupyter_protocol::Header = serde_json::from_slice(part(0))?;
    let mut content: Json = serde_json::from_slice(part(3))?;
    complete(&header.msg_type, &mut content);
    let kind = header.msg_type.as_str();
    let content = match JupyterMessageContent::from_type_and_content(kind, content.clone()) {
        Ok(content) => content,
        Err(error) => {
            tracing::warn!("a {kind} is not as Jupyter's protocol wants it: {error}");
            JupyterMessageContent::UnknownMessage(UnknownMessage {
                msg_type: kind.to_string(),
                // Whoever sent it wants to know why.
                content: Json::String(error.to_string()),
            })
        }
    };
    Ok(JupyterMessage {
        parent_header: serde_json::from_slice(part(1)).ok(),
        metadata: serde_json::from_slice(part(2)).unwrap_or_default(),
        buffers: Vec::new(),
        zmq_identities: raw.zmq_identities,
        channel: None,
        header,
        content,
    })
}

/// Front ends leave out of a request what they do not care for.
fn complete(kind: &str, content: &mut Json) {
    let Json::Object(map) = content else { return };
    let length = |map: &serde_json::Map<String, Json>| {
        let code = map.get("code").and_then(Json::as_str).unwrap_or_default();
        json!(code.chars().count())
    };
    let usual = match kind {
        "execute_request" => vec![
            ("silent", json!(false)),
            ("store_history", json!(true)),
            ("user_expressions", json!({})),
            ("allow_stdin", json!(true)),
            ("stop_on_error", json!(true)),
        ],
        "complete_request" => vec![("cursor_pos", length(map))],
        "inspect_request" => vec![("cursor_pos", length(map)), ("detail_level", json!(0))],
        "history_request" => vec![
            ("output", json!(false)),
            ("raw", json!(true)),
            ("unique", json!(false)),
            ("pattern", json!("*")),
            ("n", json!(1000)),
            ("session", json!(0)),
            ("start", json!(0)),
            ("stop", json!(0)),
        ],
        "shutdown_request" => vec![("restart", json!(false))],
        _ => return,
    };
    for (name, value) in usual {
        let given = map.entry(name).or_insert(Json::Null);
        if given.is_null() {
            *given = value;
        }
    }
}

/// Does what the control channel wants at once, while a cell runs. False when nobody listens any more.
fn controlled(
    message: JupyterMessage,
    interrupt: &Interrupt,
    out: &Out,
    queue: &Sender<Came>,
) -> bool {
    let came = match message.content {
        JupyterMessageContent::InterruptRequest(_) => {
            out.publish(Status::busy(), &message);
            interrupt.stop();
            out.reply_control(jupyter_protocol::InterruptReply::new(), &message);
            out.publish(Status::idle(), &message);
            return true;
        }
        JupyterMessageContent::ShutdownRequest(_) => {
            interrupt.stop();
            Came::Shutdown
        }
        _ => Came::Control,
    };
    queue.send(came(Box::new(message))).is_ok()
}

/// Writes the messages of a queue until nobody can put one in any more.
async fn write(
    mut socket: zmq::RouterSendConnection,
    mut queue: mpsc::UnboundedReceiver<JupyterMessage>,
) {
    while let Some(message) = queue.recv().await {
        tell(socket.send(message).await.err());
    }
}

/// A front end that has gone does not read its answer.
fn tell(error: Option<zmq::RuntimeError>) {
    if let Some(error) = error {
        tracing::debug!("a message was not sent: {error}");
    }
}

/// A message that cannot be read, or is signed with another key, is not answered.
async fn bad(error: &zmq::RuntimeError) {
    tracing::warn!("a message was not understood: {error}");
    tokio::time::sleep(BREATH).await;
}

impl Channels {
    /// Waits until everything has left, for a while.
    pub fn close(self) {
        let Channels {
            out,
            writers,
            control,
            ending,
            mut listening,
            ..
        } = self;
        drop(out);
        control.abort();
        let go = AtomicBool::new(false);
        let all = async {
            for writer in writers {
                let _ = writer.await;
            }
            let _ = ending.send(true);
            while listening.recv().await.is_some() {}
        };
        let _ = wait(all, Deadline::after(LAST), &go);
    }
}

fn failed(name: &str, url: &str, error: &zmq::RuntimeError) -> Fault {
    let text = format!("the {name} channel cannot be had at {url}: {error}");
    let fault = Diagnostic::new(Code::CannotWrite, text);
    fault.help("the connection file may be that of another kernel which still runs")
}
