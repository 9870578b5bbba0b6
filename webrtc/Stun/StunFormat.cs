namespace VoiceGrains.WebRtc.Stun;

/// <summary>Sizes and constants of the format (RFC 8489 §5, §14). Sizes are in bytes.</summary>
internal static class StunFormat
{
    public const uint MagicCookie = 0x2112A442;
    public const ushort Binding = 0x001;
    public const int HeaderLength = 20;
    public const int AttributeHeaderLength = 4;
    public const int TransactionIdLength = 12;
    public const int IntegrityLength = 20;

    /// <summary>Longest message that is read. A check is about 100 bytes; STUN over UDP should not pass the path's MTU (RFC 8489 §6.1).</summary>
    public const int MaxLength = 1500;

    /// <summary>Longest user name by the standard: 508 bytes (RFC 8489 §14.3, under 509).</summary>
    public const int MaxUsernameLength = 508;
}
