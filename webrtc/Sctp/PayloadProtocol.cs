namespace VoiceGrains.WebRtc.Sctp;

/// <summary>SCTP payload protocol identifiers of WebRTC (RFC 8831 §8). The fragment identifiers 52 and 54 are deprecated and not taken.</summary>
internal static class PayloadProtocol
{
    internal const uint Control = 50;
    private const uint Text = 51;
    private const uint Binary = 53;

    /// <summary>SCTP has no empty messages: an empty one is a byte with a name of its own (RFC 8831 §6.6).</summary>
    private const uint EmptyText = 56;
    private const uint EmptyBinary = 57;

    internal static uint Of(bool isBinary, bool isEmpty) => (isBinary, isEmpty) switch
    {
        (false, false) => Text,
        (true, false) => Binary,
        (false, true) => EmptyText,
        _ => EmptyBinary,
    };

    internal static bool IsMessage(uint protocol) => protocol is Text or Binary or EmptyText or EmptyBinary;

    internal static bool IsBinary(uint protocol) => protocol is Binary or EmptyBinary;

    internal static bool IsEmpty(uint protocol) => protocol is EmptyText or EmptyBinary;
}
