using VoiceGrains.WebRtc.Sctp;

namespace VoiceGrains.WebRtc.Tests.Sctp;

internal static class TestOptions
{
    /// <summary>usrsctp's timers run on real time: these keep a test over a bad link short.</summary>
    internal static SctpOptions Quick { get; } = new()
    {
        InitialRetransmissionTimeout = TimeSpan.FromMilliseconds(30),
        MinRetransmissionTimeout = TimeSpan.FromMilliseconds(20),
        MaxRetransmissionTimeout = TimeSpan.FromMilliseconds(100),
        MaxRetransmissions = 200,
        MaxInitAttempts = 200,
    };
}
