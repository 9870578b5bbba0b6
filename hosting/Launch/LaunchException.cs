namespace VoiceGrains.Hosting.Launch;

/// <summary>The start cannot go on. The message is for the person at the terminal: what is wrong and what to do about it.</summary>
public sealed class LaunchException(string message, int exitCode = LaunchException.Failed, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Exit code of a start that failed.</summary>
    public const int Failed = 1;

    /// <summary>Exit code of a command line that makes no sense.</summary>
    public const int Usage = 2;

    /// <summary>What the process exits with.</summary>
    public int ExitCode => exitCode;
}
