using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.DataConnectionConfig</c>: a WebSocket of the tenant's that the call connects to.</summary>
public sealed record DataConnectionConfig
{
    [Required, WireUrl("wss", "ws")] public string? WebsocketUrl { get; init; }
    /// <summary>None sends no audio.</summary>
    public DataConnectionAudioConfig? AudioConfig { get; init; }
    public EnabledDataMessages? DataMessages { get; init; }
    [MaxLength(50), WireHeaders, Secret] public IReadOnlyDictionary<string, string>? Headers { get; init; }
}

/// <summary><c>ultravox.v1.DataConnectionAudioConfig</c>.</summary>
public sealed record DataConnectionAudioConfig
{
    /// <summary>Hz. Default 16,000.</summary>
    [Range(8_000, 48_000, ErrorMessage = "Must be between {1} and {2} Hz.")] public int? SampleRate { get; init; }
    /// <summary>Default separated.</summary>
    public ChannelMode? ChannelMode { get; init; }
}

public enum ChannelMode : byte
{
    [JsonStringEnumMemberName("CHANNEL_MODE_UNSPECIFIED")] Unspecified = 0,
    [JsonStringEnumMemberName("CHANNEL_MODE_MIXED")] Mixed = 1,
    [JsonStringEnumMemberName("CHANNEL_MODE_SEPARATED")] Separated = 2,
}

/// <summary><c>ultravox.v1.Callbacks</c>.</summary>
public sealed record Callbacks
{
    public Callback? Joined { get; init; }
    public Callback? Ended { get; init; }
    public Callback? Billed { get; init; }
}

/// <summary><c>ultravox.v1.Callback</c>.</summary>
public sealed record Callback
{
    [Required, WireUrl("https", "http")] public string? Url { get; init; }
    [MaxLength(10)] public IReadOnlyList<string>? Secrets { get; init; }
}
