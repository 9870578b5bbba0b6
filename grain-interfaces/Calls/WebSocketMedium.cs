namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.CallMedium_WebSocketMedium</c>.</summary>
public sealed record WebSocketMedium
{
    /// <summary>Hz, 8,000 to 48,000. Required.</summary>
    public int? InputSampleRate { get; init; }
    /// <summary>Hz, 8,000 to 48,000; as the input where unset.</summary>
    public int? OutputSampleRate { get; init; }
    /// <summary>How far ahead of real time audio is sent, ms. Default 60.</summary>
    public int? ClientBufferSizeMs { get; init; }
    public EnabledDataMessages? DataMessages { get; init; }
    /// <summary>Ends the call when no audio came for so long; values below 10 s act as 10 s; null never.</summary>
    public TimeSpan? MediaIdleTimeout { get; init; }
}
