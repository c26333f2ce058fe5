//! Simulated vehicle passes, telemetry, alarms and device status over MQTT.
