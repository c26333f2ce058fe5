//! A sheet of metrics, filled anew at each scrape from the parts' snapshots and written by the `prometheus` crate.

use prometheus::{
    Encoder, TextEncoder,
    proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType},
};

/// Label names and values of one series.
pub(crate) type Labels<'a> = &'a [(&'a str, &'a str)];

/// Metric families in the making.
#[derive(Default)]
pub(crate) struct Sheet {
    families: Vec<MetricFamily>,
}

impl Sheet {
    /// A counter without labels. The name ends in `_total`.
    pub(crate) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.counters(name, help, [(&[][..], value)]);
    }

    /// A counter with labels from closed sets.
    pub(crate) fn counters<'a>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'a>, u64)>,
    ) {
        #[allow(clippy::cast_precision_loss, reason = "Prometheus counts in f64")]
        self.seconds_or_counts(name, help, series.into_iter().map(|(labels, value)| (labels, value as f64)));
    }

    /// A counter of seconds, without labels.
    pub(crate) fn seconds(&mut self, name: &str, help: &str, value: f64) {
        self.seconds_or_counts(name, help, [(&[][..], value)]);
    }

    fn seconds_or_counts<'a>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'a>, f64)>,
    ) {
        debug_assert!(name.ends_with("_total"), "{name}: counters end in _total");
        let metrics = series.into_iter().map(|(labels, value)| {
            let mut counter = Counter::default();
            counter.set_value(value);
            let mut metric = labelled(labels);
            metric.set_counter(counter);
            metric
        });
        self.family(name, help, MetricType::COUNTER, metrics.collect());
    }

    /// A gauge without labels.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.gauges(name, help, [(&[][..], value)]);
    }

    /// A gauge with labels from closed sets.
    pub(crate) fn gauges<'a>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'a>, f64)>,
    ) {
        let metrics = series.into_iter().map(|(labels, value)| {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            let mut metric = labelled(labels);
            metric.set_gauge(gauge);
            metric
        });
        self.family(name, help, MetricType::GAUGE, metrics.collect());
    }

    /// A histogram: per series its labels, `(upper bound, count in this bucket alone)` in rising order, the count of all
    /// observations and their sum.
    pub(crate) fn histograms<'a>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'a>, Vec<(f64, u64)>, u64, f64)>,
    ) {
        let metrics = series.into_iter().map(|(labels, buckets, count, sum)| {
            let mut histogram = Histogram::default();
            let cumulative = buckets.into_iter().scan(0, |total, (bound, count)| {
                *total += count;
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(bound);
                bucket.set_cumulative_count(*total);
                Some(bucket)
            });
            histogram.set_bucket(cumulative.collect());
            histogram.set_sample_count(count);
            histogram.set_sample_sum(sum);
            let mut metric = labelled(labels);
            metric.set_histogram(histogram);
            metric
        });
        self.family(name, help, MetricType::HISTOGRAM, metrics.collect());
    }

    fn family(&mut self, name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) {
        // The encoder refuses a family without series.
        if metrics.is_empty() {
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(metrics);
        self.families.push(family);
    }

    /// The sheet in Prometheus's text format.
    pub(crate) fn render(self) -> String {
        let mut text = Vec::new();
        match TextEncoder::new().encode(&self.families, &mut text) {
            Ok(()) => String::from_utf8(text).unwrap_or_default(),
            Err(error) => {
                tracing::error!(%error, "The metrics could not be written.");
                String::new()
            }
        }
    }
}

fn labelled(labels: Labels<'_>) -> Metric {
    let pairs = labels.iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    });
    Metric::from_label(pairs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_reads_as_prometheus_text() {
        let mut sheet = Sheet::default();
        sheet.counters(
            "sightline_x_total",
            "Things.",
            [(&[("kind", "a")][..], 3), (&[("kind", "b")][..], 0)],
        );
        sheet.gauge("sightline_y_bytes", "Size.", 1.5);
        sheet.histograms("sightline_z_seconds", "Time.", [(&[][..], vec![(0.1, 2), (1.0, 1)], 4, 7.25)]);
        sheet.counters("sightline_none_total", "Nothing yet.", []);
        let text = sheet.render();
        for line in [
            "sightline_x_total{kind=\"a\"} 3",
            "# TYPE sightline_y_bytes gauge",
            "sightline_y_bytes 1.5",
            "sightline_z_seconds_bucket{le=\"1\"} 3",
            "sightline_z_seconds_bucket{le=\"+Inf\"} 4",
            "sightline_z_seconds_sum 7.25",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert!(!text.contains("none"));
    }
}
