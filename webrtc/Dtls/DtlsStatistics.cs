namespace VoiceGrains.WebRtc.Dtls;

/// <summary>What one transport counted so far.</summary>
/// <param name="AlertsSent">Alerts sent, close_notify among them.</param>
/// <param name="AlertsReceived">Alerts received, close_notify among them.</param>
/// <param name="Retransmissions">Flights sent again because no answer came.</param>
/// <param name="Ignored">Datagrams that came too long before the start or after the end, and those that are no DTLS at all.</param>
/// <param name="Unsent">Datagrams lost because the sink threw.</param>
public readonly record struct DtlsStatistics(int AlertsSent, int AlertsReceived, int Retransmissions, int Ignored, int Unsent);
