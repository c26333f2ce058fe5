//! Keeps a connection to the broker: connects, feeds the outbox and the acknowledgements into it, watches that it
//! lives, and begins anew when it does not.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    metrics::{Metrics, count},
    mqtt::{Ack, Message, Session, Settings, Signal},
    outbox::{Mark, Outbox, Token},
};

/// How often the watchdog looks.
const WATCH_EVERY: Duration = Duration::from_millis(500);
/// How long leave-taking may last.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// The outbox, shared with everybody who has something to say.
#[derive(Debug, Default)]
pub(crate) struct Out {
    outbox: Mutex<Outbox>,
    wake: Notify,
}

impl Out {
    /// Changes the outbox and wakes the link.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Outbox) -> T) -> T {
        let result = change(&mut self.outbox.lock());
        self.wake.notify_one();
        result
    }
}

/// The driver and what it is wired to.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) settings: Settings,
    pub(crate) out: Arc<Out>,
    pub(crate) metrics: Arc<Metrics>,
    /// Where messages go.
    pub(crate) intake: mpsc::Sender<Message>,
    /// What may be acknowledged: it is on disk.
    pub(crate) acks: mpsc::UnboundedReceiver<Vec<Ack>>,
    /// Where acknowledged changes of alerts go.
    pub(crate) marks: mpsc::UnboundedSender<Mark>,
    pub(crate) reconnect_max: Duration,
}

/// One thing to react to.
enum Action {
    Signal(Signal),
    Acks(Vec<Ack>),
    Woken,
    Tick,
}

/// What is under way on one connection.
#[derive(Debug, Default)]
struct Flights {
    /// Given to the connection, not yet seen leaving.
    given: VecDeque<Token>,
    /// Left under a packet id.
    left: HashMap<u16, Token>,
    /// Since when something waits without any acknowledgement coming.
    stuck_since: Option<Instant>,
}

impl Link {
    /// Runs until cancelled; then says what is left to say and takes leave.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        let mut backoff = Backoff::new(self.reconnect_max);
        let mut epoch = 0;
        let mut told = String::new();
        loop {
            epoch += 1;
            let opening = Session::open(&self.settings, epoch, self.intake.clone());
            let opened = tokio::select! {
                () = cancel.cancelled() => return,
                opened = opening => opened,
            };
            let why = match opened {
                Ok(session) => {
                    let Some(why) = self.serve(session, &cancel, &mut backoff).await else { return };
                    told.clear();
                    why
                }
                Err(why) => why,
            };
            let pause = backoff.next(rand::random());
            if why != told {
                let (host, port) = (&self.settings.host, self.settings.port);
                tracing::warn!(%host, port, %why, "No connection to the MQTT broker; trying again");
                told = why;
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Serves one connection until it ends. `None` when cancelled.
    async fn serve(
        &mut self,
        mut session: Session,
        cancel: &CancellationToken,
        backoff: &mut Backoff,
    ) -> Option<String> {
        let out = self.out.clone();
        let mut flights = Flights::default();
        let mut tick = interval(WATCH_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        out.with(Outbox::connected);
        let why = loop {
            let action = tokio::select! {
                biased;
                () = cancel.cancelled() => {
                    self.leave(session, flights).await;
                    return None;
                }
                signal = session.signals.recv() => {
                    Action::Signal(signal.unwrap_or_else(|| Signal::Down("the connection's task ended".into())))
                }
                acks = self.acks.recv() => Action::Acks(acks.unwrap_or_default()),
                () = out.wake.notified() => Action::Woken,
                _ = tick.tick() => Action::Tick,
            };
            if let Err(why) = self.apply(action, &session, &mut flights, backoff) {
                break why;
            }
        };
        self.metrics.connected.store(false, Relaxed);
        Some(why)
    }

    fn apply(
        &self,
        action: Action,
        session: &Session,
        flights: &mut Flights,
        backoff: &mut Backoff,
    ) -> Result<(), String> {
        match action {
            Action::Signal(Signal::Down(why)) => return Err(why),
            Action::Signal(Signal::Subscribed) => {
                backoff.reset();
                count(&self.metrics.connects, 1);
                self.metrics.connected.store(true, Relaxed);
                let (host, port) = (&self.settings.host, self.settings.port);
                tracing::info!(%host, port, "Connected to the MQTT broker");
            }
            Action::Signal(Signal::Sent(packet)) => flights.leaves(packet),
            Action::Signal(Signal::Acked(packet)) => self.acked(packet, flights),
            Action::Acks(acks) => acks.into_iter().for_each(|ack| session.ack(ack)),
            Action::Woken => {}
            Action::Tick => self.watch(session, flights)?,
        }
        self.pump(session, flights);
        Ok(())
    }

    /// Publishes while the window is open.
    fn pump(&self, session: &Session, flights: &mut Flights) {
        let mut outbox = self.out.outbox.lock();
        while let Some(send) = outbox.next() {
            flights.given.push_back(send.token);
            session.publish(send);
        }
        if outbox.is_waiting() {
            flights.stuck_since.get_or_insert_with(Instant::now);
        }
    }

    fn acked(&self, packet: u16, flights: &mut Flights) {
        let Some(token) = flights.left.remove(&packet) else { return };
        count(&self.metrics.published, 1);
        flights.stuck_since = None;
        if let Some(mark) = self.out.outbox.lock().acked(token) {
            // Nobody listens only when the gateway stops: then the mark is made after the next start.
            self.marks.send(mark).ok();
        }
    }

    /// Ends a connection that lives in name only.
    fn watch(&self, session: &Session, flights: &Flights) -> Result<(), String> {
        if session.is_held_back() {
            return Ok(());
        }
        let limit = self.settings.keep_alive * 2 + Duration::from_secs(1);
        let silent = session.silent_for();
        let stuck = flights.stuck_since.map(|since| since.elapsed()).unwrap_or_default();
        let why = if silent > limit {
            format!("the broker has been silent for {} s", silent.as_secs())
        } else if stuck > limit {
            format!("the broker has acknowledged nothing for {} s", stuck.as_secs())
        } else {
            return Ok(());
        };
        count(&self.metrics.watchdog_resets, 1);
        Err(why)
    }

    /// Publishes what is left, acknowledges what was stored, takes leave.
    async fn leave(&mut self, mut session: Session, mut flights: Flights) {
        let mut backoff = Backoff::new(self.reconnect_max);
        let said = async {
            while let Ok(acks) = self.acks.try_recv() {
                self.apply(Action::Acks(acks), &session, &mut flights, &mut backoff)?;
            }
            self.pump(&session, &mut flights);
            while !self.out.outbox.lock().is_idle() {
                let Some(signal) = session.signals.recv().await else { break };
                self.apply(Action::Signal(signal), &session, &mut flights, &mut backoff)?;
            }
            Ok::<_, String>(())
        };
        match tokio::time::timeout(LEAVE_WITHIN, said).await {
            Ok(Ok(())) => session.close(LEAVE_WITHIN).await,
            Ok(Err(why)) => tracing::info!(%why, "The MQTT broker went before we did"),
            Err(_) => tracing::info!("The MQTT broker did not take our last messages in time"),
        }
        self.metrics.connected.store(false, Relaxed);
    }
}

impl Flights {
    fn leaves(&mut self, packet: u16) {
        if let Some(token) = self.given.pop_front() {
            self.left.insert(packet, token);
        }
    }
}
