//! One GStreamer pipeline for one coding: `appsrc ! parser ! decoder ! appsink`.
//!
//! For every key frame it goes from READY to PLAYING and back, with the end of the stream right behind the key frame:
//!
//! - The end of the stream drains the decoder, so streams with B-frames give their key frame at once, without a second one.
//! - Going to READY throws the decoder's state away, so no picture of one camera can show through in a damaged one of
//!   another. It costs below 1 ms.

use std::{sync::mpsc, time::Duration};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app as gst_app;
use sightline_model::media::Codec;

use crate::MAX_SIDE;

/// A decoder that says nothing for this long never will. The parent's own limit is shorter; this one is for a worker
/// whose parent was killed.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// What comes out of the pipeline.
enum Event {
    Picture(gst::Sample),
    Ended,
    Failed(String),
    TooLarge(u32),
}

/// Why a decoder gave no picture.
#[derive(Debug)]
pub(super) enum NoPicture {
    /// It read the bytes and found no picture.
    Undecodable(String),
    /// A side of the coded picture.
    TooLarge(u32),
    /// It does not run at all, and has to be built again.
    Broken(String),
    /// It does not come to an end.
    Hung,
}

/// A pipeline in READY.
pub(super) struct Decoder {
    codec: Codec,
    pipeline: gst::Pipeline,
    source: gst_app::AppSrc,
    events: mpsc::Receiver<Event>,
}

impl Decoder {
    /// Builds the pipeline around the element `factory`.
    pub(super) fn new(codec: Codec, factory: &str) -> Result<Self, gst::glib::BoolError> {
        let source = gst_app::AppSrc::builder().format(gst::Format::Time).build();
        let parser = gst::ElementFactory::make(parser(codec)).build()?;
        let decoder = gst::ElementFactory::make(factory).build()?;
        // With more threads libav's decoders keep pictures back; parallel work is what several workers are for.
        if decoder.has_property_with_type("max-threads", i32::static_type()) {
            decoder.set_property("max-threads", 1);
        }
        let sink =
            gst_app::AppSink::builder().caps(&gst::Caps::new_empty_simple("video/x-raw")).sync(false).build();
        let pipeline = gst::Pipeline::new();
        let elements = [source.upcast_ref(), &parser, &decoder, sink.upcast_ref()];
        pipeline.add_many(elements)?;
        gst::Element::link_many(elements)?;
        let (to, events) = mpsc::channel();
        watch_size(&decoder, &to);
        watch_bus(&pipeline, &to);
        watch_sink(&sink, to);
        Ok(Self { codec, pipeline, source, events })
    }

    /// Decodes one key frame.
    pub(super) fn decode(&self, config: &[u8], unit: &[u8]) -> Result<gst::Sample, NoPicture> {
        let broken = |what: &str| NoPicture::Broken(format!("{what} failed"));
        self.source.set_caps(Some(&coded(self.codec, config)));
        let outcome = match self.pipeline.set_state(gst::State::Playing) {
            Ok(_) => self.feed(unit).and_then(|()| self.first_event()),
            Err(_) => Err(broken("starting the decoder")),
        };
        if matches!(outcome, Err(NoPicture::Hung)) {
            return outcome;
        }
        if self.pipeline.set_state(gst::State::Ready).is_err() && outcome.is_err() {
            return Err(broken("stopping the decoder"));
        }
        // All streaming threads have ended: what is left belongs to this key frame.
        while self.events.try_recv().is_ok() {}
        outcome
    }

    fn feed(&self, unit: &[u8]) -> Result<(), NoPicture> {
        let mut buffer = gst::Buffer::from_slice(unit.to_vec());
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(gst::ClockTime::ZERO);
            buffer.set_dts(gst::ClockTime::ZERO);
        }
        // A pipeline that has failed already refuses both; its error is among the events.
        let _ = self.source.push_buffer(buffer);
        let _ = self.source.end_of_stream();
        Ok(())
    }

    fn first_event(&self) -> Result<gst::Sample, NoPicture> {
        match self.events.recv_timeout(HANGS_AFTER) {
            Ok(Event::Picture(sample)) => Ok(sample),
            Ok(Event::Ended) => Err(NoPicture::Undecodable("no picture came out of it".to_owned())),
            Ok(Event::Failed(reason)) => Err(NoPicture::Undecodable(reason)),
            Ok(Event::TooLarge(side)) => Err(NoPicture::TooLarge(side)),
            Err(_) => Err(NoPicture::Hung),
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // Nothing can be done about a pipeline that does not stop; the process ends with its parent anyway.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

fn parser(codec: Codec) -> &'static str {
    match codec {
        Codec::H264 => "h264parse",
        Codec::H265 => "h265parse",
    }
}

fn coded(codec: Codec, config: &[u8]) -> gst::Caps {
    let (kind, format) = match codec {
        Codec::H264 => ("video/x-h264", "avc"),
        Codec::H265 => ("video/x-h265", "hvc1"),
    };
    gst::Caps::builder(kind)
        .field("stream-format", format)
        .field("alignment", "au")
        .field("codec_data", gst::Buffer::from_slice(config.to_vec()))
        .build()
}

/// Stops pictures of absurd size before the decoder takes memory for them.
fn watch_size(decoder: &gst::Element, to: &mpsc::Sender<Event>) {
    let to = to.clone();
    let Some(pad) = decoder.static_pad("sink") else { return };
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let side = info.event().and_then(|event| match event.view() {
            gst::EventView::Caps(caps) => longest_side(caps.caps()),
            _ => None,
        });
        match side {
            Some(side) if side > MAX_SIDE => {
                let _ = to.send(Event::TooLarge(side));
                gst::PadProbeReturn::Drop
            }
            _ => gst::PadProbeReturn::Ok,
        }
    });
}

fn longest_side(caps: &gst::CapsRef) -> Option<u32> {
    let caps = caps.structure(0)?;
    let side = |name| caps.get::<i32>(name).ok().and_then(|side| u32::try_from(side).ok());
    side("width").max(side("height"))
}

fn watch_bus(pipeline: &gst::Pipeline, to: &mpsc::Sender<Event>) {
    let to = to.clone();
    let Some(bus) = pipeline.bus() else { return };
    bus.set_sync_handler(move |_, message| {
        if let gst::MessageView::Error(error) = message.view() {
            let _ = to.send(Event::Failed(error.error().to_string()));
        }
        gst::BusSyncReply::Drop
    });
}

fn watch_sink(sink: &gst_app::AppSink, to: mpsc::Sender<Event>) {
    let ended = to.clone();
    let callbacks = gst_app::AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let _ = to.send(Event::Picture(sample));
            Ok(gst::FlowSuccess::Ok)
        })
        .eos(move |_| {
            let _ = ended.send(Event::Ended);
        })
        .build();
    sink.set_callbacks(callbacks);
}
