namespace VoiceGrains.WebRtc.Stun;

internal enum StunFault : byte
{
    None,
    TooShort,
    TooLong,
    NotStun,
    WrongCookie,
    WrongLength,
    AttributeCutOff,
    AttributeSize,
    AfterFingerprint,
}

/// <summary>Why a message was refused, and where. Sizes and offsets are in bytes.</summary>
internal readonly record struct StunError(StunFault Fault, int Offset, int Needed, int Available);
