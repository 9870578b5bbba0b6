using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Cli.Load;

/// <summary>What <c>vg load</c> was asked to do.</summary>
internal sealed record LoadOptions
{
    public required ServerAddress Server { get; init; }
    public required CallRequest Call { get; init; }

    /// <summary>Human speech that every caller says again and again.</summary>
    public required string File { get; init; }

    /// <summary>Calls at the same time.</summary>
    public int Calls { get; init; } = 50;

    /// <summary>How long to measure once all calls are up.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Calls started per second until all are up.</summary>
    public double RampPerSecond { get; init; } = 10;

    /// <summary>Silence after each repetition, in which the agent answers.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(7);

    /// <summary>The server's process, to read its CPU time and memory. Null: not known.</summary>
    public int? ProcessId { get; init; }
}
