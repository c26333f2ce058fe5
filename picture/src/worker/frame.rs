//! From the decoder's buffer to planes of the wanted size in JPEG's coding.

use gstreamer as gst;
use gstreamer_video::{
    self as gst_video, VideoColorMatrix, VideoColorRange, VideoFormat, VideoFrame, VideoFrameExt, VideoInfo,
};

use crate::{
    Size,
    color::{self, Coding, Matrix},
    planar::{Planar, Plane},
    size::Shape,
};

/// Above this height a picture that does not say is BT.709 (ITU-R BT.709 is for HDTV), below BT.601.
const TALLEST_SD: u32 = 576;

/// Scales and converts.
///
/// # Errors
/// When the decoder's buffer is not what its caps say, or of a format GStreamer cannot convert.
pub(super) fn picture(sample: &gst::Sample, size: Size) -> Result<Planar, String> {
    let info = sample.caps().ok_or("the picture has no caps")?;
    let info = VideoInfo::from_caps(info).map_err(|error| error.to_string())?;
    let pixel = info.par();
    let side = |side: i32| u32::try_from(side).unwrap_or(0);
    let shape = Shape {
        width: info.width(),
        height: info.height(),
        pixel: (side(pixel.numer()), side(pixel.denom())),
    };
    let (width, height) = size.fit(shape);
    let buffer = sample.buffer_owned().ok_or("the picture has no bytes")?;
    let frame = VideoFrame::from_buffer_readable(buffer, &info)
        .map_err(|_| "the picture is shorter than its caps say".to_owned())?;
    let coding = coding(&info);
    let mut planes =
        if info.format() == VideoFormat::I420 && (width, height) == (info.width(), info.height()) {
            planes(&frame)
        } else {
            planes(&scaled(&frame, &info, width, height).map_err(|error| error.to_string())?)
        }
        .ok_or("the picture's planes are shorter than they should be")?;
    color::to_jpeg(&mut planes, coding);
    Ok(planes)
}

/// Geometry and sample format only: the colours stay, unless they are red, green and blue.
fn scaled(
    frame: &VideoFrame<gst_video::video_frame::Readable>,
    info: &VideoInfo,
    width: u32,
    height: u32,
) -> Result<VideoFrame<gst_video::video_frame::Writable>, gst::glib::BoolError> {
    let builder = VideoInfo::builder(VideoFormat::I420, width, height)
        .fps(info.fps())
        .interlace_mode(info.interlace_mode())
        .chroma_site(info.chroma_site());
    let jpeg = gst_video::VideoColorimetry::new(
        VideoColorRange::Range0_255,
        VideoColorMatrix::Bt601,
        info.colorimetry().transfer(),
        info.colorimetry().primaries(),
    );
    let target = if info.is_rgb() {
        builder.colorimetry(&jpeg).build()?
    } else {
        builder.colorimetry(&info.colorimetry()).build()?
    };
    let mut config = gst_video::VideoConverterConfig::new();
    // A triangle as wide as the step down: no aliasing, half the time of the default.
    config.set_resampler_method(gst_video::VideoResamplerMethod::Linear);
    config.set_dither_method(gst_video::VideoDitherMethod::None);
    let converter = gst_video::VideoConverter::new(info, &target, Some(config))?;
    let buffer = gst::Buffer::with_size(target.size())?;
    let mut to = VideoFrame::from_buffer_writable(buffer, &target)
        .map_err(|_| gst::glib::bool_error!("no room for the picture"))?;
    converter.frame(frame, &mut to);
    Ok(to)
}

fn planes<T>(frame: &VideoFrame<T>) -> Option<Planar> {
    let [y, u, v, _] = frame.planes_data();
    let mut strides = frame.plane_stride().iter().map(|stride| usize::try_from(*stride).unwrap_or(0));
    let mut plane = |bytes| Some(Plane { bytes, stride: strides.next()? });
    let planes = [plane(y)?, plane(u)?, plane(v)?];
    Planar::copy(usize::try_from(frame.width()).ok()?, usize::try_from(frame.height()).ok()?, planes)
}

/// What the picture's numbers mean; with what players assume where the camera does not say.
fn coding(info: &VideoInfo) -> Coding {
    if info.is_rgb() {
        return Coding::JPEG;
    }
    let matrix = match info.colorimetry().matrix() {
        VideoColorMatrix::Bt601 => Matrix::BT601,
        VideoColorMatrix::Bt709 => Matrix::BT709,
        VideoColorMatrix::Bt2020 => Matrix::BT2020,
        VideoColorMatrix::Smpte240m => Matrix::SMPTE240M,
        VideoColorMatrix::Fcc => Matrix::FCC,
        _ if info.height() > TALLEST_SD => Matrix::BT709,
        _ => Matrix::BT601,
    };
    Coding { matrix, full_range: info.colorimetry().range() == VideoColorRange::Range0_255 }
}
