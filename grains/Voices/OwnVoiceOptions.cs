using System.ComponentModel.DataAnnotations;
using VoiceGrains.GrainInterfaces.Voices;

namespace VoiceGrains.Grains.Voices;

/// <summary>Accounts' own voices; section <c>OwnVoices</c>.</summary>
public sealed class OwnVoiceOptions
{
    /// <summary>Own voices of one account, clones among them. Default 100.</summary>
    [Range(0, 1_000)] public int MaxPerAccount { get; set; } = 100;

    /// <summary>Clones among them. Default 10.</summary>
    [Range(0, 1_000)] public int MaxClonesPerAccount { get; set; } = 10;

    /// <summary>Largest definition as JSON, bytes. Default 32 KiB.</summary>
    [Range(1024, 1 << 20)] public int MaxDefinitionBytes { get; set; } = 32 * 1024;

    /// <summary>Largest sample file, bytes. Default 10 MiB, as documented for clones.</summary>
    [Range(1 << 16, 1 << 28)] public int MaxSampleBytes { get; set; } = 10 << 20;

    /// <summary>Shortest sample. Default 3 s; providers ask for 5 to 60 s.</summary>
    public TimeSpan MinSampleLength { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Longest sample. Default 10 min; more than a minute does not make a better clone.</summary>
    public TimeSpan MaxSampleLength { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Lowest sample rate in Hz. Default 8,000.</summary>
    [Range(4_000, 48_000)] public int MinSampleRateHz { get; set; } = 8_000;

    /// <summary>Longest wait for a provider to make a clone. Default 60 s.</summary>
    public TimeSpan CloneTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The server's own keys, for clones of accounts that have none. Such clones cost the operator, not the tenant. Default none.</summary>
    public CloneKeys CloneKeys { get; set; } = new();
}

/// <summary>The server's keys at providers that clone voices. Secrets: never logged.</summary>
public sealed class CloneKeys
{
    public string? ElevenLabs { get; set; }
    public string? Cartesia { get; set; }
    public string? Lmnt { get; set; }

    /// <summary>Null where there is none.</summary>
    public string? Of(TtsProvider provider)
    {
        var key = provider == TtsProvider.ElevenLabs ? ElevenLabs : provider == TtsProvider.Cartesia ? Cartesia : provider == TtsProvider.Lmnt ? Lmnt : null;
        return string.IsNullOrEmpty(key) ? null : key;
    }
}
