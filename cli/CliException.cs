namespace VoiceGrains.Cli;

/// <summary>Ends the program with a message for the person at the terminal.</summary>
internal sealed class CliException(string message, int exitCode = CliException.CallFailed) : Exception(message)
{
    /// <summary>The call did not go as asked.</summary>
    public const int CallFailed = 1;

    /// <summary>The command line or a file that it names makes no sense.</summary>
    public const int Usage = 2;

    /// <summary>No server, or one that refuses the key.</summary>
    public const int NoServer = 3;

    public int ExitCode => exitCode;
}
