//! A disk is taken out: its work and its streams go to the others, in order.

use std::sync::Arc;

use super::{Job, Order, Writer};
use crate::{
    room::{Finished, Presence},
    tail::Tail,
};

impl Writer {
    /// Hands everything over. The stage stops handing on as soon as it sees [`Presence::Leaving`]; what streams push
    /// meanwhile waits on this disk's list and goes over last.
    pub(super) fn leave(&mut self) -> Finished {
        self.room.signals.lock().presence = Presence::Leaving;
        self.room.signal.notify_all();
        for lane in self.lanes.keys().copied().collect::<Vec<_>>() {
            self.abandon(lane);
        }
        let mut jobs = std::mem::take(&mut self.again);
        jobs.extend(std::mem::take(&mut self.held).into_iter().flat_map(super::Batch::into_jobs));
        while let Ok(order) = self.orders.recv() {
            match order {
                Order::Write { batch, .. } => jobs.extend(batch.into_jobs()),
                Order::Lost(lost) => jobs.extend(lost),
                Order::Flush(_) => {}
            }
        }
        jobs.extend(std::mem::take(&mut self.room.signals.lock().adopted));
        self.hand_over(jobs);
        self.room.taken_out();
        // What it had is with the others now: whoever waits has to ask them.
        self.room.answer(u64::MAX, true);
        if self.lost == 0 {
            Finished::Clean
        } else {
            Finished::Lost { gops: self.lost, detail: "the disk was taken out".to_owned() }
        }
    }

    fn hand_over(&mut self, jobs: Vec<Job>) {
        for tail in self.shared.registry.all() {
            if tail.room() == self.room.no {
                self.shared.registry.place(&tail);
            }
        }
        for job in jobs {
            let room = self.shared.registry.room(&job.tail);
            let mut signals = room.signals.lock();
            signals.adopted.push(job);
            drop(signals);
            room.signal.notify_all();
        }
        let ready: Vec<Arc<Tail>> = {
            let mut signals = self.room.signals.lock();
            signals.presence = Presence::Left;
            std::mem::take(&mut signals.ready)
        };
        for tail in ready {
            self.shared.registry.enlist(&tail, 1, true);
        }
    }
}
