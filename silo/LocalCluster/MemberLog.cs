using VoiceGrains.Silo.Launch;

namespace VoiceGrains.Silo.LocalCluster;

/// <summary>
/// What one member prints: all of it goes to a file, the first line of each warning and error to the terminal as well, so many in a while. Safe for concurrent use.
/// </summary>
internal sealed class MemberLog(string path, string member, Action<string> say, TimeProvider clock) : IDisposable
{
    private const long LargestFile = 16 << 20;
    private const int MostSaid = 10;
    private static readonly TimeSpan While = TimeSpan.FromSeconds(10);
    private static readonly string[] Problems = ["warn: ", "fail: ", "crit: "];
    private readonly Lock gate = new();
    private StreamWriter? file;
    private string? heading;
    private long whileBegan;
    private int said;

    public string Path => path;

    /// <summary>Begins a new file for a new life of the member.</summary>
    public void StartAnew()
    {
        lock (gate)
        {
            file?.Dispose();
            LogTail.StartAnew(path);
            file = new StreamWriter(path) { AutoFlush = true };
        }
    }

    public void Add(string line, bool isError)
    {
        lock (gate)
        {
            if (file is null)
                return;
            file.WriteLine(line);
            if (file.BaseStream.Length > LargestFile)
                StartAnew();
            Report(line, isError);
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            file?.Dispose();
            file = null;
        }
    }

    /// <summary>The console logger writes a heading ("warn: Category[id]") and the message below it, indented.</summary>
    private void Report(string line, bool isError)
    {
        if (heading is not null)
            Say($"{heading}: {line.Trim()}");
        else if (isError && line.Length > 0)
            Say(line);
        heading = Array.Exists(Problems, problem => line.StartsWith(problem, StringComparison.Ordinal)) ? line : null;
    }

    private void Say(string problem)
    {
        if (clock.GetElapsedTime(whileBegan) > While)
            (whileBegan, said) = (clock.GetTimestamp(), 0);
        said++;
        if (said < MostSaid)
            say($"{member} | {problem}");
        else if (said == MostSaid)
            say($"{member} | and more, see {path}");
    }
}
