//! The `Transport` header (RFC 2326 section 12.39).

/// How a client wants its media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Inside the RTSP connection, on this channel; RTCP on the next one.
    Interleaved { channel: u8 },
    /// To these UDP ports of the client.
    Udp { rtp_port: u16, rtcp_port: u16 },
}

/// The first transport in the client's list that can be served.
pub(crate) fn choose(header: &str) -> Option<Wanted> {
    header.split(',').find_map(parse)
}

fn parse(spec: &str) -> Option<Wanted> {
    let mut parts = spec.split(';').map(str::trim);
    let profile = parts.next()?;
    let parameters: Vec<&str> = parts.collect();
    let has = |word: &str| parameters.iter().any(|p| p.eq_ignore_ascii_case(word));
    let value = |name: &str| parameters.iter().find_map(|p| p.strip_prefix(name)?.strip_prefix('='));
    let plays = value("mode").is_none_or(|mode| mode.trim_matches('"').eq_ignore_ascii_case("play"));
    if has("multicast") || !plays {
        return None;
    }
    if profile.eq_ignore_ascii_case("RTP/AVP/TCP") {
        let channel = match value("interleaved") {
            Some(range) => pair::<u8>(range)?.0,
            None => 0,
        };
        return (channel < u8::MAX).then_some(Wanted::Interleaved { channel });
    }
    if profile.eq_ignore_ascii_case("RTP/AVP") || profile.eq_ignore_ascii_case("RTP/AVP/UDP") {
        let (rtp_port, rtcp_port) = pair::<u16>(value("client_port")?)?;
        let rtcp_port = rtcp_port.or(rtp_port.checked_add(1))?;
        return (rtp_port != 0 && rtcp_port != 0).then_some(Wanted::Udp { rtp_port, rtcp_port });
    }
    None
}

/// `a-b` or `a`.
fn pair<T: std::str::FromStr>(range: &str) -> Option<(T, Option<T>)> {
    match range.split_once('-') {
        Some((first, second)) => Some((first.trim().parse().ok()?, Some(second.trim().parse().ok()?))),
        None => Some((range.trim().parse().ok()?, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_servable_transport_is_chosen() {
        let udp = Some(Wanted::Udp { rtp_port: 5000, rtcp_port: 5001 });
        let tcp = Some(Wanted::Interleaved { channel: 2 });
        for (header, wanted) in [
            ("RTP/AVP/TCP;unicast;interleaved=2-3", tcp),
            ("RTP/AVP;unicast;client_port=5000-5001", udp),
            ("RTP/AVP/UDP;unicast;client_port=5000", udp),
            ("RTP/AVP;multicast, RTP/AVP/TCP;interleaved=2-3;mode=\"PLAY\"", tcp),
            ("RTP/AVP/TCP;unicast", Some(Wanted::Interleaved { channel: 0 })),
            ("RTP/AVP;multicast;client_port=5000-5001", None),
            ("RTP/AVP;unicast", None),
            ("RTP/SAVP;unicast;client_port=5000-5001", None),
            ("RTP/AVP/TCP;interleaved=255-256", None),
            ("RTP/AVP;unicast;client_port=0-1", None),
            ("RTP/AVP/TCP;interleaved=0-1;mode=record", None),
            ("", None),
        ] {
            assert_eq!(choose(header), wanted, "{header}");
        }
    }
}
