namespace VoiceGrains.Silo.Launch;

/// <summary>What a server said last, for the message about its end.</summary>
internal static class LogTail
{
    private const int Lines = 15;

    /// <summary>The last lines of a log file.</summary>
    public static string Of(string path)
    {
        try
        {
            return string.Join('\n', File.ReadLines(path).TakeLast(Lines));
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return "(no log)";
        }
    }

    /// <summary>Keeps the log of the life before as <c>.old</c>.</summary>
    public static void StartAnew(string path)
    {
        if (File.Exists(path))
            File.Move(path, path + ".old", overwrite: true);
    }
}
