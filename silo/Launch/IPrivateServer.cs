using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>A server that this process brings along: started when it is needed, and again when it has died.</summary>
internal interface IPrivateServer
{
    /// <summary>What the person at the terminal knows it by.</summary>
    string Name { get; }

    /// <summary>Of the life that runs, or of the last.</summary>
    int ProcessId { get; }

    /// <summary>Completes with the exit code when this life ends.</summary>
    Task<int> Exited { get; }

    /// <summary>Clears what an earlier life left, starts, and waits until it serves.</summary>
    /// <exception cref="LaunchException">It ended instead, or took too long; the message has the end of its log.</exception>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Asks it to end, then makes it. Bounded by itself; no error when it does not run.</summary>
    Task StopAsync();
}
