namespace VoiceGrains.WebRtc.Sctp;

/// <summary>Counts since the association was made.</summary>
/// <param name="MessagesRefused">Messages that broke a rule or belonged to no open channel.</param>
/// <param name="PacketsDropped">Packets that could not be handed to DTLS; SCTP sends what they held again.</param>
/// <param name="PacketsRefused">Packets that are not SCTP for a data channel, and were not looked at further.</param>
public readonly record struct SctpStatistics(long MessagesSent, long MessagesReceived, long MessagesRefused, long PacketsDropped, long PacketsRefused);
