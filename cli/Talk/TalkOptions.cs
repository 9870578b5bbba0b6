using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Cli.Talk;

/// <summary>What <c>vg talk</c> was asked to do.</summary>
internal sealed record TalkOptions
{
    public required ServerAddress Server { get; init; }
    public required CallRequest Call { get; init; }

    /// <summary>Recordings to speak, one turn each.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Messages to type after them, one turn each.</summary>
    public required IReadOnlyList<string> Texts { get; init; }

    /// <summary>Speak through the machine's microphone instead, until Ctrl-C or the end of the call.</summary>
    public bool UseMicrophone { get; init; }

    /// <summary>Start the next recording so long after the agent began to answer, instead of waiting for it to finish.</summary>
    public TimeSpan? BargeIn { get; init; }

    /// <summary>How long to wait for an answer to be over.</summary>
    public TimeSpan TurnLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Folder for the WAV files; null for <c>vg-calls/CALL-ID</c>.</summary>
    public string? Out { get; init; }

    /// <summary>Print every message of the server.</summary>
    public bool IsVerbose { get; init; }
}
